"""CLINC150 (Larson et al. 2019): 150 intents, and requests that none of them fits. CC BY 3.0."""

from __future__ import annotations

from bench.tasks.public.source import DataSet, Source

SPLITS = {"train": ("train", "oos_train"), "development": ("val", "oos_val"), "test": ("test", "oos_test")}


def read(source: Source) -> DataSet:
    """``data_full.json``: lists of [text, intent] by split, out-of-scope requests in lists of their own."""
    whole = source.json("data_full.json")
    return DataSet(
        records=[
            {
                "id": f"{part}-{number}",
                "query": text,
                "reference": intent,
                "kind": "label",
                "task": "clinc150",
                "split": split,
                "tags": {"out_of_scope": part.startswith("oos")},
            }
            for split, parts in SPLITS.items()
            for part in parts
            for number, (text, intent) in enumerate(whole[part])
        ]
    )
