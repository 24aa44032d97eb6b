"""Questions that no document answers: attributes never stated, and entities nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.records import Sample
from bench.tasks.base import Lesson, always
from bench.tasks.company.base import fact_tags, spread
from bench.tasks.company.facts import Facts
from bench.world.company import Entity
from bench.world.schema import Attribute
from bench.world.wording import DONT_KNOW, FRAMES

T = TypeVar("T")
Pair = tuple[Entity, Attribute]


@dataclass(frozen=True, kw_only=True)
class Unanswerable(Facts):
    """Questions that no document answers: attributes never stated, and entities nobody knows."""

    name: str = "unanswerable"

    def _unknown(self, split: str) -> tuple[list[Pair], list[Pair]]:
        """Attributes never stated, and strangers': half for the test, an eighth for training.

        A stranger is in one split, whole: weights that learned a name to be unknown under one attribute would be
        asked for a memory under another.
        """
        held = split != "train"
        withheld = self._share(self.world.withheld, split)
        strangers = self._share(self.world.strangers, split)
        return (
            [pair for pair in withheld if self.parity or (pair[0].id in self.held_out) == held],
            [(entity, attribute) for entity in strangers for attribute in entity.kind.attributes],
        )

    def _share(self, of: Sequence[T], split: str) -> list[T]:
        order = self._rng(f"unknown-{len(of)}").sample(of, len(of))
        half, least = len(of) // 2, max(1, len(of) // 8)
        return {"test": order[:half], "development": order[half:-least], "train": order[-least:]}[split]

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(split)
        # As many of either kind; every pair once before any comes again in another wording.
        half = self.count // 2
        withheld, strangers = self._unknown(split)
        drawn = spread(rng, withheld, half) + spread(rng, strangers, self.count - half)
        rng.shuffle(drawn)
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
            for number, ((entity, attribute), frame) in enumerate(zip(drawn, frames, strict=True))
        ]

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        return [
            Lesson(task=self.name, query=self._query(entity, attribute, frame, rng), answer=always(DONT_KNOW))
            for pairs in self._unknown("train")
            for entity, attribute in pairs
            for frame in rng.sample(FRAMES["train"], 2)
        ]
