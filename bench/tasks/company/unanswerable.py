"""Questions that no document answers: attributes never stated, and entities nobody knows."""

from __future__ import annotations

from dataclasses import dataclass

from bench.records import Sample
from bench.tasks.base import Lesson
from bench.tasks.company.base import fact_tags, spread
from bench.tasks.company.facts import Facts
from bench.world.company import Entity
from bench.world.schema import Attribute
from bench.world.wording import DONT_KNOW, FRAMES


@dataclass(frozen=True, kw_only=True)
class Unanswerable(Facts):
    """Questions that no document answers: attributes never stated, and entities nobody knows."""

    name: str = "unanswerable"

    def _unknown(self, split: str) -> list[tuple[Entity, Attribute]]:
        """A third of the pairs for each split, so that no question stands in two."""
        pairs = list(self.world.withheld)
        pairs += [(entity, attribute) for entity in self.world.strangers for attribute in entity.kind.attributes]
        self._rng("pairs").shuffle(pairs)
        pairs = {"train": pairs[::3], "development": pairs[1::3], "test": pairs[2::3]}[split]
        return [pair for pair in pairs if self.parity or (pair[0].id in self.held_out) == (split != "train")]

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(split)
        pairs = self._unknown(split)
        drawn: list[tuple[Entity, Attribute]] = []
        while len(drawn) < self.count:
            drawn.extend(rng.sample(pairs, len(pairs)))
        frames = spread(rng, FRAMES[split], self.count)
        return [
            Sample(
                id=f"{self.name}-{split}-{number:04d}",
                task=self.name,
                query=self._query(entity, attribute, frame, rng),
                reference=None,
                cluster=entity.id,
                template=frame,
                tags=fact_tags(entity, attribute),
            )
            for number, ((entity, attribute), frame) in enumerate(zip(drawn[: self.count], frames, strict=True))
        ]

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        return [
            Lesson(task=self.name, query=self._query(entity, attribute, frame, rng), answer=lambda _: DONT_KNOW)
            for entity, attribute in self._unknown("train")
            for frame in rng.sample(FRAMES["train"], 2)
        ]
