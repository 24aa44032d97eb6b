"""The suite of the fictional company: its documents as the corpus, its tasks as the questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.tasks.base import Suite, Task
from bench.world.company import Company
from bench.world.documents import documents, owner


def company_suite(world: Company, tasks: Mapping[str, Task], parity: bool, level: int = 1, **settings: Any) -> Suite:
    """``settings`` are those that tasks share; they reach the tasks by interpolation in the YAML.

    A task with an attribute ``held_out`` keeps the entities of these ids, and all pages like theirs, out of training.
    """
    corpus = tuple(documents(world, level))
    held_out = frozenset[str]().union(*(getattr(task, "held_out", ()) for task in tasks.values()))
    return Suite(
        name="company",
        tasks=tuple(tasks.values()),
        corpus=corpus,
        parity=parity,
        unseen=held_out | {page.id for page in corpus if owner(page.id) in held_out},
        data={"source": f"fictional company, seed {world.seed}, {len(world.entities)} entities"},
    )
