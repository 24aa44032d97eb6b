"""Overlap between what is evaluated and what is learned from, checked before a run starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.metrics.text import normalise
from bench.records import Sample
from bench.tasks.base import Suite
from systems.base import Document, UserError


def check_splits(suite: Suite) -> list[dict[str, Any]]:
    """Refuse evaluation questions that the same task trains on, shows or develops on; report what else overlaps.

    Questions are compared by normalised text. Findings are for the report: one adapter learns all tasks, so a
    question that another task trains on is told too, and so is one that stands in the corpus word for word.
    """
    findings: list[dict[str, Any]] = []
    learned = {task.name: {normalise(lesson.query.text) for lesson in task.lessons()} for task in suite.tasks}
    asked: dict[str, dict[str, str]] = {}
    for task in suite.tasks:
        samples = task.samples("test")
        evaluated = asked[task.name] = _texts(samples)
        shown = {normalise(e.query) for sample in samples for e in sample.query.examples}
        developed = set(_texts(task.samples("development")))
        if common := sorted(developed & learned[task.name]):
            raise UserError(
                f"task {task.name}: {len(common)} question(s) of the development split also stand in its training, "
                f"first {common[0][:60]!r}; take them out of one of the two"
            )
        for source, texts in (
            ("training", learned[task.name]),
            ("few-shot examples", shown),
            ("development split", developed),
        ):
            common = sorted(evaluated.keys() & texts)
            if common:
                raise UserError(
                    f"task {task.name}: {len(common)} evaluation question(s) also stand in its {source}, "
                    f"first sample {evaluated[common[0]]}; take them out of one of the two"
                )
        for other, texts in learned.items():
            if other != task.name and (common := sorted(evaluated.keys() & texts)):
                text = (
                    f"{task.name}: {len(common)} evaluation question(s) stand in the training of task {other}, "
                    f"first sample {evaluated[common[0]]}"
                )
                findings.append({"level": "warning", "text": text})
        if repeated := len(samples) - len(evaluated):
            text = f"{task.name}: {repeated} evaluation question(s) stand there more than once"
            findings.append({"level": "note", "text": text})
    return findings + _in_corpus(suite.corpus, asked)


LONG_ENOUGH = 5
"""Words of a question from which on its standing in a document is no chance."""


def _in_corpus(documents: Iterable[Document], asked: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Questions that a document holds word for word: retrieval would find them by the question, not by the answer."""
    corpus = "\n".join(normalise(document.text) for document in documents)
    findings = []
    for task, texts in asked.items():
        found = [name for text, name in texts.items() if text.count(" ") + 1 >= LONG_ENOUGH and text in corpus]
        if found:
            count = f"{len(found)} evaluation question(s)"
            text = f"{task}: {count} stand in the corpus word for word, first sample {found[0]}"
            findings.append({"level": "warning", "text": text})
    return findings


def _texts(samples: Iterable[Sample]) -> dict[str, str]:
    """Normalised question → id of the first sample that asks it."""
    found: dict[str, str] = {}
    for sample in samples:
        found.setdefault(normalise(sample.query.text), sample.id)
    return found
