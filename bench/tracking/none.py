"""No tracker: the run directory has everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.workspace import Workspace


@dataclass(frozen=True)
class NoTracker:
    """Tells nobody."""

    @contextmanager
    def live(self, workspace: Workspace) -> Iterator[None]:
        """Nobody follows."""
        yield

    def publish(self, workspace: Workspace) -> None:
        """Nothing is sent anywhere."""
