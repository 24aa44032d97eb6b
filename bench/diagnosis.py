"""Whose a wrong answer is, retrieval's or the model's, by what the same system answers under other retrieval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.detectors.closed_world import ClosedWorld
from bench.evidence import shown_in_full
from bench.metrics.declared import metric
from bench.records import Key, Prediction, Sample, Score
from bench.shares import cluster, share
from bench.workspace import prediction_from
from systems.base import Chunk

ORACLE_CONTEXT = "oracle_context"
CLOSED_BOOK = "closed_book"


def is_right(sample: Sample, prediction: Prediction, passages: Mapping[str, Chunk]) -> bool:
    """Whether the answer is right by the measure of accuracy."""
    shown = [passages[chunk] for chunk in prediction.shown if chunk in passages]
    exact = ClosedWorld()
    verdicts = {exact.name: exact.judge(sample, prediction, shown)}
    return metric("accuracy").score(sample, prediction, verdicts).value == 1.0


@dataclass(frozen=True)
class Again:
    """One wrong answer's question, asked again: what came of it."""

    cluster: str
    right_with_oracle_context: bool
    right_closed_book: bool


def diagnose(
    samples: Sequence[Sample],
    scores: Sequence[Score],
    records: Iterable[Mapping[str, Any]],
    passages: Mapping[str, Chunk],
) -> dict[str, Any]:
    """Per system that was asked again: its wrong answers, and how many are right under either condition.

    ``records``: the journal of counterfactual answers. A row has ``wrong`` (all wrong answers), ``asked`` (those asked
    again, with their evidence shown in full and an answer under both conditions) and, as shares of the latter,
    ``right_with_oracle_context`` and ``right_closed_book``; ``tasks`` has a row for each. Empty without records.
    """
    by_id = {(sample.task, sample.id): sample for sample in samples}
    answers: dict[str, dict[Key, Prediction]] = {ORACLE_CONTEXT: {}, CLOSED_BOOK: {}}
    for record in records:
        found = prediction_from(dict(record))
        answers[record["condition"]][found.key] = found

    def again(key: Key) -> Again | None:
        sample = by_id[key.task, key.sample]
        oracle, closed = (answers[condition].get(key) for condition in (ORACLE_CONTEXT, CLOSED_BOOK))
        if oracle is None or closed is None or oracle.error or closed.error or not shown_in_full(sample, oracle):
            return None
        return Again(cluster(sample), is_right(sample, oracle, passages), is_right(sample, closed, passages))

    wrong: dict[str, dict[str, list[Again | None]]] = {
        system: {} for system in dict.fromkeys(key.system for key in sorted(answers[ORACLE_CONTEXT]))
    }
    for one in scores:
        if one.metric == "accuracy" and one.value == 0.0 and one.system in wrong:
            told = again(Key(one.system, one.task, one.sample, one.repeat))
            wrong[one.system].setdefault(one.task, []).append(told)
    return {
        system: _row([one for found in tasks.values() for one in found])
        | {"tasks": {task: _row(found) for task, found in tasks.items()}}
        for system, tasks in wrong.items()
    }


def _row(found: Sequence[Again | None]) -> dict[str, Any]:
    told = [one for one in found if one is not None]
    clusters = [one.cluster for one in told]
    return {
        "wrong": len(found),
        "asked": len(told),
        "right_with_oracle_context": share([one.right_with_oracle_context for one in told], clusters).to_json(),
        "right_closed_book": share([one.right_closed_book for one in told], clusters).to_json(),
    }
