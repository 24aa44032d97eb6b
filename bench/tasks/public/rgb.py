"""RGB (Chen et al. 2024): what a system makes of passages that help, do not help, or are wrong. CC BY-NC-SA 4.0."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from bench.tasks.public.source import DataSet, Source
from systems.base import Document, UserError

INSTRUCTION = (
    "Answer the question from the passages, and cite the one you used like [1]. If they do not hold the answer, say: "
    "I don't know. If they say what is not so, say that there are factual errors, and give the right answer."
)
DETECTED = {"rule": "keywords:existence", "keywords": ["factual errors"]}
Row = Mapping[str, Any]


def read(source: Source, noise_rate: float = 0.4, passages: int = 5) -> DataSet:
    """``en_refine.json`` (or ``en.json``), ``en_int.json`` and ``en_fact.json``, whichever are there.

    Each ability is a task. ``passages`` passages can be found for a question and no others, picked by the authors'
    rule, but in the order of the file where theirs draws. ``noise_robustness``: the share ``noise_rate`` of them does
    not help. ``negative_rejection``: none helps, so abstaining is right. ``information_integration``: each part of the
    answer stands in another one. ``counterfactual_robustness``: they are wrong; accuracy asks for the right answer all
    the same, ``rules_followed`` is the authors' rate of errors detected. Without passages these say little.
    """
    if not 0 <= noise_rate < 1:
        raise UserError(f"suite.noise_rate={noise_rate}: must be 0 or more and below 1")
    if passages < 1:
        raise UserError(f"suite.passages={passages}: must be 1 or more")
    noise = math.ceil(round(passages * noise_rate, 9))
    found = [*_plain(source, passages, noise), *_integration(source, passages, noise), *_wrong(source, passages)]
    if not found:
        raise UserError(f"suite.path={source.path}: has no en_refine.json, en.json, en_int.json or en_fact.json")
    corpus: dict[str, Document] = {}
    records = []
    for record, shown in found:
        documents = [Document(id=identity, title="", text=text) for identity, text in shown.items()]
        corpus |= {document.id: document for document in documents}
        records.append({**record, "instruction": INSTRUCTION, "filters": {"documents": list(shown)}})
    return DataSet(records=records, corpus=list(corpus.values()))


def right(answer: Any) -> dict[str, Any]:
    """An answer as a line has it: all of a list is wanted, and any one of a list in it."""
    parts = [
        [part] if isinstance(part, str) else list(part) for part in ([answer] if isinstance(answer, str) else answer)
    ]
    if len(parts) == 1:
        return {"reference": parts[0][0], "references": parts[0][1:]}
    return {"reference": ", ".join(part[0] for part in parts), "tags": {"parts": parts}}


Found = Iterator[tuple[dict[str, Any], dict[str, str]]]
"""A record, and the passages that can be found for it by id."""


def _plain(source: Source, passages: int, noise: int) -> Found:
    for row in _rows(source, "en_refine", "en"):
        useless = min(noise, len(row["negative"]))
        helping = min(passages - useless, len(row["positive"]))
        positive = _named(row, "en", "positive", row["positive"][:helping])
        negative = _named(row, "en", "negative", row["negative"][: passages - helping])
        yield (
            _record(row, "noise_robustness", "en", relevant=list(positive), **right(row["answer"])),
            positive | negative,
        )
        rejected = _named(row, "en", "negative", row["negative"][:passages])
        yield _record(row, "negative_rejection", "en", reference=None), rejected


def _integration(source: Source, passages: int, noise: int) -> Found:
    """The best passage of every part, then the next best, as many as are to help."""
    for row in _rows(source, "en_int"):
        groups: Sequence[Sequence[str]] = row["positive"]
        turns = [text for turn in zip_longest(*groups) for text in turn if text is not None]
        positive = _named(row, "en_int", "positive", turns[: max(passages - noise, len(groups))])
        negative = _named(row, "en_int", "negative", row["negative"][: max(passages - len(positive), 0)])
        needed = list(positive)[: len(groups)]
        yield (
            _record(row, "information_integration", "en_int", relevant=needed, **right(row["answer"])),
            positive | negative,
        )


def _wrong(source: Source, passages: int) -> Found:
    for row in _rows(source, "en_fact"):
        told = right(row["answer"])
        tags = {**told.pop("tags", {}), "rules": [DETECTED]}
        wrong = _named(row, "en_fact", "wrong", row["positive_wrong"][:passages])
        yield _record(row, "counterfactual_robustness", "en_fact", tags=tags, **told), wrong


def _rows(source: Source, *stems: str) -> Iterator[Row]:
    if source.has(*stems):
        yield from (row for _, row in source.table(*stems))


def _record(row: Row, task: str, file: str, **rest: Any) -> dict[str, Any]:
    return {"id": str(row["id"]), "query": row["query"], "task": task, "cluster": f"{file}-{row['id']}", **rest}


def _named(row: Row, file: str, side: str, texts: Sequence[str]) -> dict[str, str]:
    return {f"{file}-{row['id']}-{side}-{number}": text for number, text in enumerate(texts)}
