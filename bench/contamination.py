"""Overlap between what is evaluated and what is learned from, checked before a run starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench.canonical import key, words
from bench.overlap import Overlap, Text
from bench.records import Sample
from bench.tasks.base import Lesson, Suite
from systems.base import UserError


def check_splits(suite: Suite) -> list[dict[str, Any]]:
    """Refuse evaluation questions that the same task trains on, shows or develops on; report what else overlaps.

    Questions are compared as a reader does (``canonical.py``): case, punctuation of any script, kinds of quotes and
    dashes, Unicode forms, articles and spaces do not tell two apart; any other word does. Findings are for the report:
    one adapter learns all tasks, so a question that another task trains on is told too, one that stands in the corpus
    word for word, and one that stands anywhere nearly word for word beside its answer (``overlap.py``).
    """
    findings: list[dict[str, Any]] = []
    lessons = {task.name: task.lessons() for task in suite.tasks}
    learned = {task: {key(lesson.query.text) for lesson in known} for task, known in lessons.items()}
    tested = {task.name: task.samples("test") for task in suite.tasks}
    for task in suite.tasks:
        samples = tested[task.name]
        evaluated = _texts(samples)
        shown = {key(e.query) for sample in samples for e in sample.query.examples}
        developed = {key(sample.query.text): sample.query.text for sample in task.samples("development")}
        if common := sorted(developed.keys() & learned[task.name]):
            raise UserError(
                f"task {task.name}: {len(common)} question(s) of the development split also stand in its training, "
                f"first {' '.join(words(developed[common[0]]))[:60]!r}; take them out of one of the two"
            )
        for source, texts in (
            ("training", learned[task.name]),
            ("few-shot examples", shown),
            ("development split", set(developed)),
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
            text = f"{task.name}: {repeated} of the evaluation questions say what another one of the task says"
            findings.append({"level": "note", "text": text})
    told = frozenset[str]().union(*learned.values())
    asked = [sample for samples in tested.values() for sample in samples]
    return findings + _near(asked, told, lessons) + _in_corpus(asked, suite)


NEARLY = "nearly word for word and with their answer"


def _near(
    samples: Sequence[Sample], told: Collection[str], lessons: Mapping[str, Sequence[Lesson]]
) -> list[dict[str, Any]]:
    """Questions that training or the few-shot examples hold in nearly the same words. ``told``: those told already."""
    kept = [sample for sample in samples if key(sample.query.text) not in told]
    answers = [(one.query.text, one.answer(())) for known in lessons.values() for one in known]
    shown = {example for sample in samples for example in sample.query.examples}
    sources = {
        "in what is trained on": [(query, answer) for query, answer in answers if answer is not None],
        "in the few-shot examples": sorted((example.query, example.answer) for example in shown),
    }
    findings: list[dict[str, Any]] = []
    for place, pairs in sources.items():
        texts = [Text(f"{query}\n{answer}", answer) for query, answer in dict.fromkeys(pairs)]
        findings += _findings(Overlap(kept, texts).with_answer(), f"{place} {NEARLY}")
    return findings


def _in_corpus(samples: Sequence[Sample], suite: Suite) -> list[dict[str, Any]]:
    """Questions that a document holds: retrieval would find them by the question, not by the answer."""
    pages = [f"{document.title}\n{document.text}" for document in suite.corpus]
    overlap = Overlap(samples, [Text(page, page) for page in pages])
    whole = overlap.word_for_word()
    told = {(sample.task, sample.id) for sample in whole}
    nearly = [sample for sample in overlap.with_answer() if (sample.task, sample.id) not in told]
    return [*_findings(whole, "in the corpus word for word"), *_findings(nearly, f"in the corpus {NEARLY}")]


def _findings(samples: Sequence[Sample], where: str) -> Iterator[dict[str, Any]]:
    """A line for each task that has some."""
    for task, count in Counter(sample.task for sample in samples).items():
        first = next(sample.id for sample in samples if sample.task == task)
        text = f"{task}: {count} evaluation question(s) stand {where}, first sample {first}"
        yield {"level": "warning", "text": text}


def _texts(samples: Iterable[Sample]) -> dict[str, str]:
    """Question by its key → id of the first sample that asks it."""
    found: dict[str, str] = {}
    for sample in samples:
        found.setdefault(key(sample.query.text), sample.id)
    return found
