"""Banking77 (Casanueva et al. 2020): 77 intents of a bank's customers. CC BY 4.0."""

from __future__ import annotations

from bench.tasks.public.source import DataSet, Source


def read(source: Source) -> DataSet:
    """``train.csv`` and ``test.csv`` with the columns text and category, as the authors publish them.

    On hubs the category is called label, and ``label_text`` where ``label`` is its number.
    """
    return DataSet(
        records=[
            {
                "id": f"{split}-{number}",
                "query": row["text"],
                "reference": row.get("category") or row.get("label_text") or row["label"],
                "kind": "label",
                "task": "banking77",
                "split": split,
            }
            for split in ("train", "test")
            for number, (_, row) in enumerate(source.table(split))
        ]
    )
