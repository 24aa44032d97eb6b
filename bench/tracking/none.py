"""No tracker: the run directory has everything."""

from __future__ import annotations

from dataclasses import dataclass

from bench.workspace import Workspace


@dataclass(frozen=True)
class NoTracker:
    """Publishes nothing."""

    def publish(self, workspace: Workspace) -> None:
        """Nothing is sent anywhere."""
