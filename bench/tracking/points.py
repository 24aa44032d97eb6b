"""Live metrics on disk: the one truth of what was logged, from which W&B is told live, at the end, or later.

A line is a point of one W&B run, and its place among that run's lines is its step. What a killed attempt wrote stands
there and is not written again; what W&B already holds (its next step says so) is not sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.journal import read, unseal
from bench.workspace import Workspace

BUILD = "build"
"""The W&B run of what all systems share: index and adapters."""
Values = Mapping[str, Any]


def points_file(workspace: Workspace) -> Path:
    """Where a run's points stand."""
    return workspace.path / "wandb" / "points.jsonl"


def by_writer(lines: Iterable[Mapping[str, Any]]) -> dict[str, list[Values]]:
    """W&B run (a system's name, or ``build``) → its points in order of step."""
    found: dict[str, list[Values]] = {}
    for line in lines:
        found.setdefault(line["writer"], []).append(line["values"])
    return found


def read_points(workspace: Workspace) -> dict[str, list[Values]]:
    """All points of a run."""
    return by_writer(read(points_file(workspace)))


class Tail:
    """Reads a journal as it grows."""

    def __init__(self, path: Path) -> None:
        self._path, self._end = path, 0

    def new(self) -> list[dict[str, Any]]:
        """The whole lines that came since the last time."""
        if not self._path.exists():
            return []
        found = []
        with self._path.open("rb") as file:
            file.seek(self._end)
            for line in file:
                record = unseal(line)
                if record is None:
                    break
                self._end += len(line)
                found.append(record)
        return found
