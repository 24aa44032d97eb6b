"""The same questions by people who may see the answer and by people who may not.

Retrieval filters by role inside the index. Tuned weights have no roles: what they were taught they can tell anybody, so
a leak out of the weights is measured like one out of the index.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from bench.records import Sample
from bench.tasks.base import Lesson
from bench.tasks.company.facts import Facts
from bench.world.company import Fact
from bench.world.values import KINDS
from systems.base import UserError

OUTSIDER = "support"
"""A role that no document is limited to, so it sees what everyone sees and nothing else."""


@dataclass(frozen=True, kw_only=True)
class Permissions(Facts):
    """Facts of documents that some roles may read. ``allowed``: who asks is one of them.

    Facts of few possible values are left out: who says "Tuesday" to an outsider may have guessed it.
    """

    name: str = "permitted"
    allowed: bool = True
    teaches: bool = False
    """One task of the suite teaches for both: they share their facts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self._evaluated:
            raise UserError("suite: no document is limited to roles; raise suite.entities")

    @cached_property
    def _evaluated(self) -> tuple[Fact, ...]:
        return tuple(
            fact for fact in super()._evaluated if fact.entity.kind.roles and KINDS[fact.attribute.kind].choices is None
        )

    def samples(self, split: str) -> list[Sample]:
        found: list[Sample] = []
        for sample in super().samples(split):
            roles = next(fact.entity.kind.roles for fact in self._evaluated if fact.entity.id == sample.cluster)
            if self.allowed:
                # Those who may see it take turns.
                role = roles[len(found) % len(roles)]
                found.append(replace(sample, query=replace(sample.query, role=role)))
                continue
            hidden = {"secret": sample.reference, "forbidden": sample.relevant[0]}
            tags = {key: value for key, value in sample.tags.items() if key != "cite"} | hidden
            query = replace(sample.query, role=OUTSIDER)
            found.append(replace(sample, query=query, reference=None, relevant=(), tags=tags))
        return found

    def lessons(self) -> list[Lesson]:
        return [*super().lessons(), *self.unknown_lessons()] if self.teaches else []
