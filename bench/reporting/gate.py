"""The gate before a model is blamed, as table rows: which systems' retrieval has passed it, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting import numbers

WORDS = "all evidence in the top 5 for 85 % of the queries"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A system's retrieval on one task; finished words."""

    system: str
    task: str
    verdict: str
    success: str
    """success@5."""
    interval: str
    n: int
    reason: str
    """Why there is no number; empty where there is one."""


def gates(summary: Mapping[str, Any]) -> list[Gate]:
    """Rows task by task, systems in the run's order; none where no system retrieves."""
    found = summary.get("gate") or {}
    tasks = dict.fromkeys(task for verdicts in found.values() for task in verdicts)
    return [
        Gate(
            system=system,
            task=task,
            verdict=verdicts[task]["verdict"],
            success=numbers.value(estimate := verdicts[task]["success_at_5"]),
            interval=numbers.interval(estimate),
            n=estimate["n"],
            reason=estimate.get("reason", ""),
        )
        for task in tasks
        for system, verdicts in found.items()
        if task in verdicts
    ]
