"""CLINC150 (Larson et al. 2019): 150 intents, and requests that none of them fits. CC BY 3.0."""

from __future__ import annotations

from collections.abc import Iterator

from bench.tasks.public.source import DataSet, Source

SPLITS = {"train": ("train", "oos_train"), "development": ("val", "oos_val"), "test": ("test", "oos_test")}


HUB_SPLITS = {"train": "train", "development": "validation", "test": "test"}
OUTSIDE = "oos"


def read(source: Source, config: str | None = None) -> DataSet:
    """``data_full.json``: lists of [text, intent] by split, out-of-scope requests in lists of their own.

    The hub has tables of text and intent instead, in ``config`` (``plus``, ``small`` or ``imbalanced``).
    """
    found = _rows(source, config) if source.has("test", config=config) else _lists(source.json("data_full.json"))
    return DataSet(
        records=[
            {
                "id": identity,
                "query": text,
                "reference": intent,
                "kind": "label",
                "task": "clinc150",
                "split": split,
                "tags": {"out_of_scope": intent == OUTSIDE},
            }
            for split, identity, text, intent in found
        ]
    )


def _lists(whole: dict[str, list[tuple[str, str]]]) -> Iterator[tuple[str, str, str, str]]:
    for split, parts in SPLITS.items():
        for part in parts:
            for number, (text, intent) in enumerate(whole[part]):
                yield split, f"{part}-{number}", text, intent


def _rows(source: Source, config: str | None) -> Iterator[tuple[str, str, str, str]]:
    for split, stem in HUB_SPLITS.items():
        for number, (_, row) in enumerate(source.table(stem, config=config)):
            yield split, f"{stem}-{number}", row["text"], row["intent"]
