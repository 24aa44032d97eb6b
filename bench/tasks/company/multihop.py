"""Facts spread over two documents: one page names the entity that is asked about, another states the fact."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bench.records import Sample
from bench.tasks.base import Lesson
from bench.tasks.company.base import fact_tags, find_passage, spread
from bench.tasks.company.facts import Facts
from bench.world.company import Fact, Link
from bench.world.wording import FRAMES
from systems.base import Chunk, Query, UserError

Hop = tuple[Link, Fact]


@dataclass(frozen=True, kw_only=True)
class MultiHop(Facts):
    """Questions on a fact of an entity that is named by another's page: both pages are needed."""

    name: str = "multihop"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.world.links:
            raise UserError("suite.links=false: questions over two documents need a company whose pages are linked")
        if not all(self._hops(split) for split in FRAMES):
            raise UserError(f"suite.entities={len(self.world.entities)}: too few for questions over two documents")

    @cached_property
    def _all(self) -> tuple[Hop, ...]:
        facts: dict[str, list[Fact]] = {}
        for fact in self.world.facts:
            facts.setdefault(fact.entity.id, []).append(fact)
        return tuple((link, fact) for link in self.world.links for fact in facts[link.target.id])

    def _hops(self, split: str) -> list[Hop]:
        """What a split asks. With parity every chain of two pages is asked in one split alone.

        Without parity training names neither page of a chain that is evaluated.
        """
        links = {link: number for number, link in enumerate(dict.fromkeys(link for link, _ in self._all))}
        share = {"test": (0, 1), "development": (2,), "train": (3,)}[split]
        held = split != "train"
        return [
            (link, fact)
            for link, fact in self._all
            if (self.parity and links[link] % 4 in share)
            or (not self.parity and {link.source.id in self.held_out, link.target.id in self.held_out} == {held})
        ]

    def _asked(self, hop: Hop, frame: str, rng: random.Random) -> Query:
        link, fact = hop
        # The second entity is not named: the question calls it by the first.
        called = replace(fact.entity, name=link.kind.asks.format(e=link.source.name))
        return self._query(called, fact.attribute, frame, rng)

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(f"{split}-words")
        drawn = spread(rng, self._hops(split), self.count)
        found = []
        for number, (hop, frame) in enumerate(zip(drawn, spread(rng, FRAMES[split], self.count), strict=True)):
            link, fact = hop
            found.append(
                Sample(
                    id=f"{self.name}-{split}-{number:04d}",
                    task=self.name,
                    query=self._asked(hop, frame, rng),
                    reference=fact.value,
                    relevant=(link.source.id, fact.entity.id),
                    cluster=link.source.id,
                    template=frame,
                    tags={**fact_tags(fact.entity, fact.attribute), "cite": True},
                )
            )
        return found

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        return [
            Lesson(task=self.name, query=self._asked(hop, frame, rng), answer=_over_both(hop))
            for hop in self._hops("train")
            for frame in rng.sample(FRAMES["train"], 2)
        ]


def _over_both(hop: Hop) -> Callable[[Sequence[Chunk]], str | None]:
    """The value, citing the passage that states it; no answer where one of the two pages is not shown."""
    link, fact = hop

    def answer(passages: Sequence[Chunk]) -> str | None:
        if not passages:
            return fact.value
        linked = any(one.document == link.source.id and link.target.name in one.text for one in passages)
        number = find_passage(fact, passages)
        return f"{fact.value} [{number}]" if linked and number else None

    return answer
