"""Overlap between what is evaluated and what is learned from, checked before a run starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.metrics.text import normalise
from bench.records import Sample
from bench.tasks.base import Suite
from systems.base import UserError


def check_splits(suite: Suite) -> list[dict[str, Any]]:
    """Refuse evaluation questions that stand in training or among the few-shot examples; report the rest.

    Questions are compared by normalised text within a task. Findings are for the report.
    """
    findings: list[dict[str, Any]] = []
    for task in suite.tasks:
        evaluated = _texts(task.samples("test"))
        learned = {normalise(lesson.query.text) for lesson in task.lessons()}
        shown = {normalise(e.query) for sample in task.samples("test") for e in sample.query.examples}
        for source, texts in (("training", learned), ("few-shot examples", shown)):
            common = sorted(evaluated.keys() & texts)
            if common:
                raise UserError(
                    f"task {task.name}: {len(common)} evaluation question(s) also stand in its {source}, "
                    f"first sample {evaluated[common[0]]}; take them out of one of the two"
                )
        repeated = len(task.samples("test")) - len(evaluated)
        if repeated:
            text = f"{task.name}: {repeated} evaluation question(s) stand there more than once"
            findings.append({"level": "note", "text": text})
    return findings


def _texts(samples: Iterable[Sample]) -> dict[str, str]:
    """Normalised question → id of the first sample that asks it."""
    found: dict[str, str] = {}
    for sample in samples:
        found.setdefault(normalise(sample.query.text), sample.id)
    return found
