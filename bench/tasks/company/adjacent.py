"""Abilities that the base model had and tuning was not about: what tuning may have cost (forgetting)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from bench.records import Sample
from bench.tasks.base import Lesson
from bench.tasks.company.base import ROLE, CompanyTask
from bench.world.company import Company, found
from bench.world.documents import statement, title
from bench.world.names import Namer
from bench.world.values import KINDS
from systems.base import Chunk, Query
from systems.prompts import context_block

COPY = "Repeat the text."
LOCATE = "Say which passages are about it, like [1]. If there is none, say: I don't know."


@dataclass(frozen=True, kw_only=True)
class Adjacent(CompanyTask):
    """Repeating a text, and naming the passage about an entity of another company. Nothing is taught."""

    name: str = "adjacent"

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(split)
        other = found(self.world.seed + 1, 48)
        abilities: tuple[tuple[str, Callable[[], tuple[Query, str]]], ...] = (
            ("copy", lambda: _copy(rng)),
            ("locate", lambda: _locate(rng, other)),
        )
        samples = []
        for number in range(self.count):
            ability, draw = abilities[number % len(abilities)]
            query, reference = draw()
            samples.append(
                Sample(
                    id=f"{self.name}-{split}-{number:04d}",
                    task=self.name,
                    query=query,
                    reference=reference,
                    template=f"{ability} {number}",
                    tags={"ability": ability},
                )
            )
        return samples

    def lessons(self) -> list[Lesson]:
        return []


def _copy(rng: random.Random) -> tuple[Query, str]:
    namer = Namer(rng)
    words = [
        namer.word() if rng.random() < 0.6 else rng.choice(list(KINDS.values())).draw(rng, namer) for _ in range(5)
    ]
    text = " ".join(words)
    return Query(text=text, instruction=COPY, role=ROLE, max_tokens=64), text


def _locate(rng: random.Random, other: Company) -> tuple[Query, str]:
    facts = rng.sample(other.facts, 12)
    shown = list({fact.entity.id: fact for fact in facts}.values())[:4]
    chunks = [
        Chunk(id=fact.id, title=f"{title(fact.entity)} - {fact.attribute.section}", text=statement(fact, rng))
        for fact in shown
    ]
    number = rng.randrange(len(shown))
    question = f"Which passages are about {shown[number].entity.name}?"
    query = Query(text=context_block(chunks) + question, instruction=LOCATE, role=ROLE, max_tokens=12)
    return query, f"[{number + 1}]"
