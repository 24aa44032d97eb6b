"""Failure attribution: every wrong answer has one first cause, looked for along the way an answer takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from bench.detectors.closed_world import supported
from bench.metrics.abstention import is_abstention
from bench.metrics.format_adherence import repaired_error
from bench.metrics.json_text import NotJson, first_value, same
from bench.metrics.text import contains
from bench.records import Prediction, Sample, Score
from systems.base import Chunk

CAUSES = (
    "no call",
    "not in corpus",
    "not retrieved",
    "retrieved but not shown",
    "right but malformed",
    "refused",
    "shown but misread",
    "told what may not be seen",
    "malformed",
    "asserted what nobody knows",
    "not known",
)
"""``malformed``: wrong, and no value of the form that was asked for is in the answer. ``not known`` is for systems
without retrieval, for tasks that need no passage, and where it is not known which documents were shown."""


def cause(
    sample: Sample,
    prediction: Prediction,
    corpus: frozenset[str] | None,
    verdict: Mapping[str, Any],
    passages: Mapping[str, Chunk] = MappingProxyType({}),
) -> str:
    """The first cause of a wrong answer.

    ``corpus`` holds the ids of all documents (``None``: they are not known), ``passages`` what was retrieved.
    """
    if prediction.error is not None:
        return "no call"
    if _right_but_malformed(sample, prediction):
        return "right but malformed"
    if prediction.retrieves and sample.relevant:
        needed = set(sample.relevant)
        if corpus is not None and not needed <= corpus:
            return "not in corpus"
        shown = {d for c, d in zip(prediction.retrieved, prediction.retrieved_documents, strict=True)
                 if c in prediction.shown}  # fmt: skip
        if not needed <= set(prediction.retrieved_documents):
            return "not retrieved"
        # The right document may have been found by its wrong part: only what states the fact counts as shown.
        stated = any(verdict.get("holds", [True]))
        if not needed <= shown:
            return "retrieved but not shown"
        if not stated:
            found = any(_states(sample, passages[chunk]) for chunk in prediction.retrieved if chunk in passages)
            return "retrieved but not shown" if found else "not retrieved"
    if sample.reference is not None and is_abstention(prediction.text):
        return "refused"
    if contains(prediction.text, str(sample.tags.get("secret", ""))):
        return "told what may not be seen"
    if sample.query.schema is not None and repaired_error(prediction.text, sample.query.schema):
        return "malformed"
    if sample.reference is None:
        return "asserted what nobody knows"
    return "shown but misread" if prediction.retrieves and prediction.shown and sample.relevant else "not known"


def _states(sample: Sample, chunk: Chunk) -> bool:
    """Whether a passage states what was asked for."""
    value = sample.reference.get("answer") if isinstance(sample.reference, dict) else sample.reference
    return isinstance(value, str) and supported(value, sample, chunk)


def _right_but_malformed(sample: Sample, prediction: Prediction) -> bool:
    """The content is right once the form is repaired."""
    if not isinstance(sample.reference, dict):
        return False
    try:
        return bool(same(first_value(prediction.text), sample.reference))
    except NotJson:
        return False


def attribute(
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    scores: Sequence[Score],
    verdicts: Mapping[tuple[str, str, str, int], Mapping[str, Any]],
    corpus: frozenset[str] | None,
    passages: Mapping[str, Chunk] = MappingProxyType({}),
) -> dict[str, dict[str, dict[str, int]]]:
    """Counts of first causes: system → task → cause."""
    by_id = {(sample.task, sample.id): sample for sample in samples}
    wrong = {(s.system, s.task, s.sample, s.repeat) for s in scores if s.metric == "accuracy" and s.value == 0.0}
    counts: dict[str, dict[str, Counter[str]]] = {}
    for prediction in predictions:
        key = (prediction.system, prediction.task, prediction.sample, prediction.repeat)
        tally = counts.setdefault(prediction.system, {}).setdefault(prediction.task, Counter())
        if key in wrong:
            verdict: Mapping[str, Any] = verdicts.get(key, {}).get("closed_world", {})
            tally[cause(by_id[prediction.task, prediction.sample], prediction, corpus, verdict, passages)] += 1
    return {system: {task: dict(tally) for task, tally in tasks.items()} for system, tasks in counts.items()}
