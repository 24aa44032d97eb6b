"""The hand-labelled answers that the closed-world check is measured on, and how well it does on them.

``python -m tests.detectors.held_out`` prints the figures and every answer on which it differs from the label.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.detectors.closed_world import ClosedWorld
from bench.records import Prediction, Sample
from bench.stats.detection import Detection, detection
from systems.base import Query

FILE = Path(__file__).resolve().parent.parent / "data" / "closed_world_held_out.txt"


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
    """Every answer of the file. Answers to one question share it: they are one group."""
    sample: Sample | None = None
    for line in FILE.read_text(encoding="utf-8").splitlines():
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


def measured() -> tuple[Detection, list[Labelled]]:
    """The figures, and the answers that the check misjudges."""
    found = list(labelled())
    flags = [one.flagged for one in found]
    labels, groups = [one.unfactual for one in found], [one.sample.id for one in found]
    wrong = [one for one, flag in zip(found, flags, strict=True) if flag != one.unfactual]
    return detection([float(flag) for flag in flags], flags, labels, groups), wrong


if __name__ == "__main__":
    quality, misjudged = measured()
    for name in ("precision", "recall", "f1", "auroc"):
        one = getattr(quality, name)
        print(f"{name} {one.estimate:.3f} ({one.low:.3f}-{one.high:.3f}) of {quality.n}")
    for one in misjudged:
        print("missed" if one.unfactual else "wrongly flagged", "|", one.sample.reference, "|", one.answer)
