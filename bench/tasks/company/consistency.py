"""The same question in several wordings: whether a system says the same, right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.metrics.text import normalise
from bench.records import Prediction, Sample
from bench.tasks.base import Lesson
from bench.tasks.company.facts import Facts
from bench.world.wording import FRAMES
from systems.base import UserError
from systems.prompts import CITATION


@dataclass(frozen=True, kw_only=True)
class Consistency(Facts):
    """Each fact in ``wordings`` wordings; with ``repeats`` of the run above 1, each of them several times."""

    name: str = "consistency"
    wordings: int = 5
    judge: str = "consistency"
    """Name of its verdicts, and family of its metrics."""

    def __post_init__(self) -> None:
        super().__post_init__()
        least, most = 2, min(len(FRAMES["test"]), len(FRAMES["development"]))
        if not least <= self.wordings <= most:
            raise UserError(f"task.{self.name}.wordings={self.wordings}: must be {least} to {most}")

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(f"{split}-words")
        groups = -(-self.count // self.wordings)
        facts = rng.sample(self._evaluated, min(groups, len(self._evaluated)))
        return [
            self._sample(f"{self.name}-{split}-{number:03d}-{wording}", fact, frame, rng, group=fact.id)
            for number, fact in enumerate(facts)
            for wording, frame in enumerate(rng.sample(FRAMES[split], self.wordings))
        ]

    def lessons(self) -> list[Lesson]:
        """None: the facts are taught by another task of the suite."""
        return []

    def verdicts(self, predictions: Sequence[Prediction]) -> list[dict[str, float] | None]:
        """``agreement``: of a system's other answers to the same question, the share that says the same.

        Citations do not count; an answer that never came agrees with none.
        """
        asked = [sample for split in ("test", "development") for sample in self.samples(split)]
        groups = {sample.id: str(sample.tags["group"]) for sample in asked}
        said: dict[tuple[str, str], list[str | None]] = {}
        places: list[tuple[str, str]] = []
        for one in predictions:
            place = one.system, groups[one.sample]
            places.append(place)
            said.setdefault(place, []).append(_said(one))
        found: list[dict[str, float] | None] = []
        for one, place in zip(predictions, places, strict=True):
            mine, together = _said(one), said[place]
            others = len(together) - 1
            agreeing = together.count(mine) - 1 if mine is not None else 0
            found.append({"agreement": agreeing / others} if others else None)
        return found


def _said(prediction: Prediction) -> str | None:
    return None if prediction.error is not None else normalise(CITATION.sub("", prediction.text))
