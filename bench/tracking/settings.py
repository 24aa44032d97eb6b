"""What a W&B tracker is told; see ``conf/tracker/wandb.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from bench.tracking.rows import Samples
from systems.base import UserError

MODES = ("auto", "online", "offline")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where runs go, and how much of them."""

    project: str = "knowhow"
    entity: str | None = None
    mode: str = "auto"
    samples: Samples = "redacted"
    every_seconds: float = 5.0
    """How often live metrics are written down and sent."""
    init_timeout_seconds: float = 20.0
    """How long W&B may take to begin a run, or to answer."""
    finish_timeout_seconds: float = 30.0
    """How long a run waits at its end, for all of its W&B runs together."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UserError(f"tracker.mode={self.mode}: must be auto, online or offline")
        if self.samples not in get_args(Samples):
            raise UserError(f"tracker.samples={self.samples}: must be one of {', '.join(get_args(Samples))}")
        if self.every_seconds < 1:  # W&B counts whole seconds, and takes less for no word at all
            raise UserError(f"tracker.every_seconds={self.every_seconds}: must be at least 1")
        for name in ("init_timeout_seconds", "finish_timeout_seconds"):
            if getattr(self, name) <= 0:
                raise UserError(f"tracker.{name}={getattr(self, name)}: must be more than 0")
