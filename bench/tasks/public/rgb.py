"""RGB (Chen et al. 2024): questions on news with passages that help and passages that do not. CC BY-NC-SA 4.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.tasks.public.source import DataSet, Source
from systems.base import Document


def read(source: Source) -> DataSet:
    """``en.json`` (or ``en_refine.json``): lines of query, answer, positive and negative passages.

    All passages are the corpus, so that a retriever has to find the positive ones.
    """
    rows = source.table("en_refine", "en")
    corpus: dict[str, Document] = {}
    records: list[dict[str, Any]] = []
    for _, row in rows:
        relevant = []
        for side in ("positive", "negative"):
            for number, text in enumerate(flat(row[side])):
                identity = f"{row['id']}-{side}-{number}"
                corpus[identity] = Document(id=identity, title="", text=text)
                if side == "positive":
                    relevant.append(identity)
        first, *others = flat(row["answer"])
        records.append(
            {
                "id": str(row["id"]),
                "query": row["query"],
                "reference": first,
                "references": others,
                "relevant": relevant,
                "task": "rgb",
            }
        )
    return DataSet(records=records, corpus=list(corpus.values()))


def flat(value: Any) -> Iterator[str]:
    """The texts of a text, a list, or a list of lists."""
    if isinstance(value, str):
        yield value
    else:
        for item in value:
            yield from flat(item)
