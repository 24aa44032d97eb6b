"""A company a year later: some facts have changed, some are withdrawn, some are stated for the first time."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal

from bench.world.company import Company, Entity, Fact, found
from bench.world.names import Namer
from bench.world.schema import Attribute
from bench.world.values import KINDS
from systems.base import UserError

Change = Literal["changed", "unchanged", "new", "deleted"]
CHANGES: tuple[Change, ...] = ("changed", "unchanged", "new", "deleted")


@dataclass(frozen=True)
class Changes:
    """Two versions of one company."""

    before: Company
    after: Company

    @cached_property
    def values_before(self) -> Mapping[str, str]:
        """Fact id → what it was."""
        return {fact.id: fact.value for fact in self.before.facts}

    def facts(self, change: Change) -> tuple[Fact, ...]:
        """Facts of one kind of change, as they are now; deleted ones as they were."""
        before = self.values_before
        now = {fact.id: fact.value for fact in self.after.facts}
        if change == "deleted":
            return tuple(fact for fact in self.before.facts if fact.id not in now)
        kinds = {
            "new": lambda fact: fact.id not in before,
            "changed": lambda fact: fact.id in before and before[fact.id] != fact.value,
            "unchanged": lambda fact: before.get(fact.id) == fact.value,
        }
        return tuple(fact for fact in self.after.facts if kinds[change](fact))


@lru_cache(maxsize=8)
def a_year_later(seed: int, entities: int, changed: float = 0.25, deleted: float = 0.15, new: float = 0.5) -> Changes:
    """The company of a seed and a size, and what has become of it.

    Shares of the facts that change or go, and of what was never stated that is stated now. Every document that is
    touched gets the next version. Values are drawn like the first ones, and never the same.
    """
    before = found(seed, entities)
    for name, share in (("changed", changed), ("deleted", deleted), ("new", new)):
        if not 0 <= share <= 1:
            raise UserError(f"suite.{name}={share}: must be a share, 0 to 1")
    if changed + deleted > 1:
        raise UserError(f"suite.changed={changed} and suite.deleted={deleted}: are more than all facts together")
    rng = random.Random(f"changes-{before.seed}")
    namer = Namer(rng)
    order = rng.sample(before.facts, len(before.facts))
    going = {fact.id for fact in order[: round(deleted * len(order))]}
    changing = {fact.id for fact in order[len(going) : len(going) + round(changed * len(order))]}
    stated = set(rng.sample(range(len(before.withheld)), round(new * len(before.withheld))))
    coming = [Fact(e, a, KINDS[a.kind].draw(rng, namer)) for n, (e, a) in enumerate(before.withheld) if n in stated]
    touched = {fact.entity.id for fact in before.facts if fact.id in going | changing}
    touched |= {fact.entity.id for fact in coming}
    current = {one.id: replace(one, version=one.version + 1) if one.id in touched else one for one in before.entities}
    facts = []
    for fact in before.facts:
        if fact.id in going:
            continue
        value = _other(fact, rng, namer) if fact.id in changing else fact.value
        facts.append(Fact(current[fact.entity.id], fact.attribute, value))
    facts += [replace(fact, entity=current[fact.entity.id]) for fact in coming]
    withheld: list[tuple[Entity, Attribute]] = [
        (current[e.id], a) for n, (e, a) in enumerate(before.withheld) if n not in stated
    ]
    withheld += [(current[fact.entity.id], fact.attribute) for fact in before.facts if fact.id in going]
    after = replace(
        before,
        entities=tuple(current.values()),
        facts=tuple(facts),
        withheld=tuple(withheld),
    )
    return Changes(before, after)


def today(changes: Changes) -> Company:
    """The company as it is now, for configs."""
    return changes.after


def _other(fact: Fact, rng: random.Random, namer: Namer) -> str:
    while (value := KINDS[fact.attribute.kind].draw(rng, namer)) == fact.value:
        pass
    return value
