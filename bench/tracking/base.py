"""The seam to a tracker: it may follow a run live, and is told of it once it is complete."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from bench.workspace import Workspace


class Tracker(Protocol):
    """Somewhere that runs are looked at. It is a guest: nothing of it may stop or slow a run."""

    def live(self, workspace: Workspace) -> AbstractContextManager[None]:
        """Follow the stages inside."""

    def publish(self, workspace: Workspace) -> None:
        """Take over a complete run."""
