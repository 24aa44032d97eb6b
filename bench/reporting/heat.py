"""Where each system wins: tasks by systems, each task by its primary measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting.measures import measure, primary, quoted
from bench.reporting.rows import Cell, cell
from bench.reporting.verdicts import task_names, verdict


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    """One task: its measure and a cell per system."""

    task: str
    measure: str
    n: int
    cells: tuple[Cell, ...]


def heat_rows(summary: Mapping[str, Any]) -> list[HeatRow]:
    """A row per task that has a primary measure, in the run's order."""
    rows = []
    for task in task_names(summary):
        measured = {system: entry["tasks"].get(task, {}) for system, entry in summary["systems"].items()}
        name = primary(*measured.values())
        if name is None:
            continue
        told = verdict(measured, summary["comparisons"], name, task)
        estimates = {system: quoted(measures, name) for system, measures in measured.items()}
        rows.append(
            HeatRow(
                task=task,
                measure=measure(name).label,
                n=max((int(e["n"]) for e in estimates.values() if e), default=0),
                cells=tuple(cell(s, e, best=told is not None and told.best == s) for s, e in estimates.items()),
            )
        )
    return rows
