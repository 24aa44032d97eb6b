"""Questions after the company's facts have changed: what is now, what was before, and what is withdrawn.

Documents are those of today, so a system that retrieves has re-indexed. Tuned weights have learned what was before
(``retrain=false``) or what is now (``retrain=true``): a declared factor. Each kind of change is a task of its own, so
that its results stand apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bench.records import Sample
from bench.tasks.base import Lesson
from bench.tasks.company.base import fact_tags
from bench.tasks.company.facts import Facts
from bench.world.changes import CHANGES, Change, Changes
from bench.world.company import Company, Fact
from systems.base import UserError


@dataclass(frozen=True, kw_only=True)
class Freshness(Facts):
    """Facts of one kind of change. The reference is what is so today; of what was withdrawn, that nothing is known."""

    name: str = "changed"
    change: Change = "changed"
    changes: Changes
    retrain: bool = False
    """Whether the training text is that of today."""
    teaches: bool = False
    """One task of the suite teaches for all of them: they share their facts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.change not in CHANGES:
            raise UserError(f"task.{self.name}.change={self.change}: must be one of {', '.join(CHANGES)}")
        if not self.parity:
            raise UserError("suite.parity=false: what changed is only asked of weights that learned what was before")
        if not self._evaluated:
            raise UserError(f"suite: no fact is {self.change}; change suite.changed, suite.deleted or suite.new")

    @cached_property
    def _evaluated(self) -> tuple[Fact, ...]:
        return self.changes.facts(self.change)

    @property
    def _taught(self) -> Company:
        return self.changes.after if self.retrain else self.changes.before

    @cached_property
    def _learnable(self) -> tuple[Fact, ...]:
        return self._taught.facts

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(f"{split}-words")
        found = []
        for number, (fact, frame) in enumerate(self._draw(self._evaluated, split)):
            gone = self.change == "deleted"
            before = self.changes.values_before.get(fact.id)
            stale = {} if before is None or self.change == "unchanged" else {"stale": before}
            found.append(
                Sample(
                    id=f"{self.name}-{split}-{number:04d}",
                    task=self.name,
                    query=self._query(fact.entity, fact.attribute, frame, rng),
                    reference=None if gone else fact.value,
                    relevant=() if gone else (fact.entity.id,),
                    cluster=fact.entity.id,
                    template=frame,
                    tags={**fact_tags(fact.entity, fact.attribute), **stale, **({} if gone else {"cite": True})},
                )
            )
        return found

    def lessons(self) -> list[Lesson]:
        return [*super().lessons(), *self.unknown_lessons()] if self.teaches else []
