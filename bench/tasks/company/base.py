"""What the tasks on the fictional company have in common: its facts, their splits, who asks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from bench.metrics.text import contains
from bench.world.company import Company, Entity, Fact, every_other
from bench.world.documents import statement, title
from bench.world.names import Namer
from bench.world.schema import ENTITY_KINDS, Attribute
from bench.world.values import KINDS
from bench.world.wording import FRAMES, ask
from systems.base import Chunk, UserError
from systems.prompts import context_block

T = TypeVar("T")

ROLE = "finance"
"""Asks as somebody who may read everything; questions by role are a task of their own."""


def spread(rng: random.Random, options: Sequence[T], count: int) -> list[T]:
    """``count`` draws in which every option comes up equally often: no wording can dominate a task."""
    rounds = -(-count // len(options))
    drawn = [option for _ in range(rounds) for option in rng.sample(options, len(options))]
    return drawn[:count]


def find_passage(fact: Fact, passages: Sequence[Chunk]) -> int | None:
    """Number of the first passage that states the fact, 1-based."""
    for number, chunk in enumerate(passages, 1):
        if chunk.document == fact.entity.id and states(fact, chunk.text):
            return number
    return None


def states(fact: Fact, text: str) -> bool:
    """Whether a document's text holds the fact: its value in one line or sentence with one of its names."""
    pieces = [piece for line in text.split("\n") for piece in line.split(". ")]
    return any(any(p in piece for p in fact.attribute.phrases) and contains(piece, fact.value) for piece in pieces)


@dataclass(frozen=True, kw_only=True)
class CompanyTask:
    """What the tasks have in common. ``count`` is the number of samples in each split but training."""

    name: str
    metrics: tuple[str, ...]
    world: Company
    count: int = 100
    parity: bool = True
    """Whether the evaluated facts also stand in the training text."""
    repeats: int = 12
    """Wordings in which each fact is asked closed book in training."""

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UserError(f"task.{self.name}.count={self.count}: must be 1 or more")
        if not self.parity and len(self.world.entities) < (least := 2 * len(ENTITY_KINDS)):
            raise UserError(
                f"suite.entities={len(self.world.entities)}: without parity at least {least} are needed, "
                "one of each kind to learn from and one to ask about"
            )

    def _rng(self, purpose: str) -> random.Random:
        return random.Random(f"{self.name}-{purpose}-{self.world.seed}")

    @cached_property
    def held_out(self) -> frozenset[str]:
        """Ids of the entities that no training text may name: none with parity, else every other one of each kind."""
        return frozenset() if self.parity else every_other(self.world.entities)

    @cached_property
    def _nameable(self) -> tuple[str, ...]:
        """Names of the entities that training may name."""
        return tuple(entity.name for entity in self.world.entities if entity.id not in self.held_out)

    @cached_property
    def _learnable(self) -> tuple[Fact, ...]:
        """Facts that training may hold: with parity all, without it those of entities never evaluated."""
        return tuple(fact for fact in self.world.facts if fact.entity.id not in self.held_out)

    @cached_property
    def _evaluated(self) -> tuple[Fact, ...]:
        """Facts that the test asks: all, or without parity those of the entities held out of training."""
        return tuple(fact for fact in self.world.facts if self.parity or fact.entity.id in self.held_out)

    def _draw(self, facts: Sequence[Fact], split: str) -> list[tuple[Fact, str]]:
        """Facts and wordings of a split: every fact once before any comes twice."""
        rng = self._rng(split)
        drawn: list[Fact] = []
        while len(drawn) < self.count:
            drawn.extend(rng.sample(facts, len(facts)))
        return list(zip(drawn[: self.count], spread(rng, FRAMES[split], self.count), strict=True))

    def _example_page(self, rng: random.Random, stated: bool) -> tuple[str, Fact, Chunk]:
        """A one-passage example about an entity that is nowhere else: question with passage, fact, passage."""
        namer = Namer(rng)
        kind = rng.choice(self.world.entities).kind
        name = kind.form.format(word=namer.word(), person=namer.person())
        entity = Entity(f"{kind.prefix}-{rng.randint(10, 99)}", name, kind, rng.randint(1, 9))
        known, asked = rng.sample(kind.attributes, 2)
        fact = Fact(entity, known, KINDS[known.kind].draw(rng, namer))
        chunk = Chunk(id="example", title=f"{title(entity)} - {known.section}", text=statement(fact, rng))
        question = ask(entity, known if stated else asked, rng.choice(FRAMES["train"]), rng).text
        return context_block([chunk]) + question, fact, chunk


def fact_tags(entity: Entity, attribute: Attribute) -> dict[str, Any]:
    """What detectors and breakdowns need of a factual question."""
    return {
        "entity": entity.id,
        "attribute": attribute.name,
        "value_kind": attribute.kind,
        "phrases": list(attribute.phrases),
    }
