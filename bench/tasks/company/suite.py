"""The suite of the fictional company: its documents as the corpus, its tasks as the questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bench.tasks.base import Suite, Task
from bench.world.company import Company
from bench.world.documents import documents


class AboutTheCompany(Task, Protocol):
    """A task that may keep entities out of training."""

    @property
    def held_out(self) -> frozenset[str]: ...


def company_suite(
    world: Company, tasks: Mapping[str, AboutTheCompany], parity: bool, level: int = 1, **settings: Any
) -> Suite:
    """``settings`` are those that tasks share; they reach the tasks by interpolation in the YAML."""
    return Suite(
        name="company",
        tasks=tuple(tasks.values()),
        corpus=tuple(documents(world, level)),
        parity=parity,
        unseen=frozenset[str]().union(*(task.held_out for task in tasks.values())),
        data={"source": f"fictional company, seed {world.seed}, {len(world.entities)} entities"},
    )
