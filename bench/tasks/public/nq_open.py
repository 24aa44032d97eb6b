"""Natural Questions, open domain (Lee et al. 2019, after Kwiatkowski et al. 2019). CC BY-SA 3.0."""

from __future__ import annotations

from bench.tasks.public.source import DataSet, Source


def read(source: Source) -> DataSet:
    """``NQ-open.train`` and ``NQ-open.dev`` (the test) with question and answer (a list); no documents.

    The hub calls them ``train`` and ``validation``.
    """
    parts = {"test": ("NQ-open.dev", "validation", "*validation*"), "train": ("NQ-open.train", "train", "*train*")}
    if not source.has(*parts["train"]):
        del parts["train"]
    return DataSet(
        records=[
            {
                "id": f"{split}-{number}",
                "query": row["question"].rstrip("?") + "?",
                "reference": first,
                "references": others,
                "task": "nq_open",
                "split": split,
            }
            for split, stems in parts.items()
            for number, (_, row) in enumerate(source.table(*stems))
            for first, *others in [row["answer"]]
        ]
    )
