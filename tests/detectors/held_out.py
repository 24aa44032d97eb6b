"""The hand-labelled answers that the closed-world check is measured on, and how well it does on them.

Some were written for it in every manner (``closed_world_held_out.txt``). The others are answers of the pocket model
(``closed_world_answers.jsonl``): of five committed experiments' runs, drawn by a fixed seed over systems and tasks
that ask for facts, without those that are "I don't know." word for word. Each was labelled by its question and the
company's facts before the check saw it.

The rule for refusals was widened after the written answers were first measured (precision 0.843, recall 0.956 of 262).

``python -m tests.detectors.held_out`` prints the figures and every answer on which it differs from the label.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.detectors.closed_world import ClosedWorld
from bench.records import Prediction, Sample
from bench.stats.detection import Detection, detection
from systems.base import Query

DATA = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True)
class Labelled:
    """An answer, what it was given to, and whether it asserts something that is not so."""

    sample: Sample
    answer: str
    unfactual: bool

    @property
    def flagged(self) -> bool:
        """What the check says."""
        prediction = Prediction(system="s", task="t", sample=self.sample.id, text=self.answer)
        verdict = ClosedWorld().judge(self.sample, prediction, ())
        return bool(verdict and verdict["unfactual"])


def labelled() -> Iterator[Labelled]:
    """Every answer. Those to questions on one fact are one group: their samples share an id."""
    yield from written()
    yield from drawn()


def drawn() -> Iterator[Labelled]:
    """Answers of the pocket model."""
    for line in (DATA / "closed_world_answers.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        sample = Sample(
            id=f"{one['entity']}: {one['phrases'][0]}",
            task=one["from"],
            query=Query(text=one["question"]),
            reference=one["reference"],
            tags={key: one[key] for key in ("value_kind", "phrases", "entity", "secret") if key in one},
        )
        yield Labelled(sample, one["answer"], one["unfactual"])


def written() -> Iterator[Labelled]:
    """Answers in every manner, written by hand."""
    sample: Sample | None = None
    for line in (DATA / "closed_world_held_out.txt").read_text(encoding="utf-8").splitlines():
        mark, _, text = line.partition(" ")
        if mark == "=":
            kind, phrase, entity, reference = text.split(" | ")
            tags = {"value_kind": kind, "phrases": [phrase], "entity": "ENT-1"}
            sample = Sample(
                id=f"{entity}: {phrase}",
                task="t",
                query=Query(text=f"What is the {phrase} of {entity}?"),
                reference=None if reference == "nothing" else reference,
                tags=tags,
            )
        elif mark in ("+", "-"):
            assert sample is not None
            yield Labelled(sample, text, mark == "-")


def measured(answers: Iterable[Labelled]) -> tuple[Detection, list[Labelled]]:
    """The figures, and the answers that the check misjudges."""
    found = list(answers)
    flags = [one.flagged for one in found]
    labels, groups = [one.unfactual for one in found], [one.sample.id for one in found]
    wrong = [one for one, flag in zip(found, flags, strict=True) if flag != one.unfactual]
    return detection([float(flag) for flag in flags], flags, labels, groups), wrong


if __name__ == "__main__":
    for answers in (written(), drawn(), labelled()):
        quality, misjudged = measured(answers)
        for name in ("precision", "recall", "f1", "auroc"):
            one = getattr(quality, name)
            print(f"{name} {one.estimate:.3f} ({one.low:.3f}-{one.high:.3f}) of {quality.n}")
    for one in misjudged:
        print("missed" if one.unfactual else "wrongly flagged", "|", one.sample.reference, "|", one.answer)
