"""A fictional company: entities and facts drawn from a seed. What is true in it is known exactly."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bench.world.messages import TOPICS
from bench.world.names import Namer
from bench.world.schema import ENTITY_KINDS, LINK_KINDS, Attribute, EntityKind, LinkKind
from bench.world.values import KINDS
from systems.base import UserError


@dataclass(frozen=True)
class Entity:
    """A person, product, plan, policy, contract or site."""

    id: str
    """Also the id of its document, e.g. ``PLN-204``."""
    name: str
    kind: EntityKind
    version: int
    """Version of its document."""


@dataclass(frozen=True)
class Fact:
    """One value that the company's documents state."""

    entity: Entity
    attribute: Attribute
    value: str

    @property
    def id(self) -> str:
        return f"{self.entity.id}.{self.attribute.name}"


@dataclass(frozen=True)
class Link:
    """One entity's page names another entity: a question on the one's facts by the other's name takes both pages."""

    source: Entity
    target: Entity
    kind: LinkKind


@dataclass(frozen=True)
class Company:
    """All that is true in one world."""

    seed: int
    name: str
    entities: tuple[Entity, ...]
    facts: tuple[Fact, ...]
    withheld: tuple[tuple[Entity, Attribute], ...]
    """Attributes that no document states: what cannot be answered."""
    strangers: tuple[Entity, ...]
    """Entities that no document knows, with names like the others'."""
    desks: dict[str, str]
    """Topic of a message → name of the desk that takes it."""
    links: tuple[Link, ...] = ()
    """One from every entity, where the company was founded with links; none leaves its half (``every_other``)."""


@lru_cache(maxsize=8)
def found(seed: int, entities: int, stated: float = 0.75, strangers: int | None = None, links: bool = False) -> Company:
    """Found a company of ``entities`` entities, each stating about the share ``stated`` of its attributes.

    ``strangers``: how many entities nobody knows, a fifth of the others (and 6 at least) unless given. ``links``:
    every entity's page names another entity. More strangers, or links, change nothing else of the company.
    """
    if entities < (least := len(ENTITY_KINDS)):
        raise UserError(f"suite.entities={entities}: at least {least} are needed, one of each kind")
    rng = random.Random(f"company-{seed}")
    namer = Namer(rng)
    few = max(6, entities // 5)
    if strangers is not None and strangers < few:
        raise UserError(f"suite.strangers={strangers}: at least {few} are needed with {entities} entities")
    numbers = rng.sample(range(100, max(1000, 100 + 4 * entities)), entities + few)
    drawn = [_entity(position, number, rng, namer) for position, number in enumerate(numbers)]
    known, unknown = drawn[:entities], drawn[entities:]
    facts, withheld = [], []
    for entity in known:
        for attribute in entity.kind.attributes:
            if rng.random() < stated:
                facts.append(Fact(entity, attribute, KINDS[attribute.kind].draw(rng, namer)))
            else:
                withheld.append((entity, attribute))
    name = namer.word()
    desks = {topic.name: namer.word() for topic in TOPICS}
    more = range(max(numbers) + 1, max(numbers) + 1 + (strangers or few) - few)
    unknown += [_entity(position, number, rng, namer) for position, number in enumerate(more)]
    linked = tuple(_links(seed, known, {fact.entity.id for fact in facts})) if links else ()
    return Company(seed, name, tuple(known), tuple(facts), tuple(withheld), tuple(unknown), desks, linked)


def every_other(entities: Iterable[Entity]) -> frozenset[str]:
    """Ids of the first, third, fifth, ... entity of each kind: one of the halves of a company."""
    by_kind: dict[str, list[str]] = {}
    for entity in entities:
        by_kind.setdefault(entity.kind.name, []).append(entity.id)
    return frozenset(identity for identities in by_kind.values() for identity in identities[::2])


def _links(seed: int, entities: Sequence[Entity], with_pages: Collection[str]) -> Iterator[Link]:
    """From every entity that has a page to one of the kind that its own kind points to.

    Both are of one half, so that the pages of the one half never name an entity of the other.
    """
    rng = random.Random(f"links-{seed}")
    half = every_other(entities)
    near: dict[tuple[str, bool], list[Entity]] = {}
    for entity in entities:
        if entity.id in with_pages:
            near.setdefault((entity.kind.name, entity.id in half), []).append(entity)
    for kind in LINK_KINDS:
        for side in (True, False):
            targets = near.get((kind.target, side), [])
            for source in near.get((kind.source, side), []) if targets else ():
                yield Link(source, rng.choice(targets), kind)


def _entity(position: int, number: int, rng: random.Random, namer: Namer) -> Entity:
    """Kinds take turns."""
    kind = ENTITY_KINDS[position % len(ENTITY_KINDS)]
    name = kind.form.format(word=namer.word(), person=namer.person())
    return Entity(f"{kind.prefix}-{number}", name, kind, rng.randint(1, 9))
