"""The suite of the fictional company: its documents as the corpus, its tasks as the questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.tasks.base import Suite, Task
from bench.world.company import Company
from bench.world.documents import documents


def company_suite(world: Company, tasks: Mapping[str, Task], parity: bool, level: int = 1, **settings: Any) -> Suite:
    """``settings`` are those that tasks share; they reach the tasks by interpolation in the YAML."""
    return Suite(
        name="company",
        tasks=tuple(tasks.values()),
        corpus=tuple(documents(world, level)),
        parity=parity,
        data={"source": f"fictional company, seed {world.seed}, {len(world.entities)} entities"},
    )
