"""First causes of wrong answers, in the order of the way an answer takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CAUSES = (
    "not in corpus",
    "not retrieved",
    "retrieved but not shown",
    "shown but misread",
    "told what may not be seen",
    "asserted what nobody knows",
    "not known",
    "right but malformed",
    "malformed",
    "refused",
    "no call",
)

Attribution = Mapping[str, Mapping[str, Mapping[str, int]]]


@dataclass(frozen=True, kw_only=True)
class Causes:
    """A system's wrong answers by first cause, over all tasks or in one."""

    system: str
    task: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class CauseTable:
    """All systems on one scale, and each task's counts."""

    names: tuple[str, ...]
    systems: tuple[Causes, ...]
    tasks: tuple[Causes, ...]

    def slot(self, name: str) -> int:
        """A cause's colour, the same in every report."""
        return CAUSES.index(name) if name in CAUSES else len(CAUSES)

    @property
    def most(self) -> int:
        return max((causes.total for causes in self.systems), default=0)


def cause_table(attribution: Attribution, systems: Sequence[str]) -> CauseTable | None:
    """Counts summed over tasks, systems in the run's order; ``None`` where nothing was attributed."""
    found = {c: None for tasks in attribution.values() for counts in tasks.values() for c, n in counts.items() if n}
    if not found:
        return None
    names = (*(cause for cause in CAUSES if cause in found), *(cause for cause in found if cause not in CAUSES))
    listed = [system for system in (*systems, *attribution) if system in attribution]
    single = [
        Causes(system=system, task=task, counts={name: int(counts.get(name, 0)) for name in names})
        for system in dict.fromkeys(listed)
        for task, counts in attribution[system].items()
    ]
    summed = [
        Causes(
            system=system, task="", counts={n: sum(c.counts[n] for c in single if c.system == system) for n in names}
        )
        for system in dict.fromkeys(listed)
    ]
    return CauseTable(
        names=names, systems=tuple(summed), tasks=tuple(sorted(single, key=lambda c: (c.task, listed.index(c.system))))
    )
