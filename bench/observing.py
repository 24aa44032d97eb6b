"""The seam between a run and whoever follows it: stages note what they do, and nobody has to listen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One step of a stage, as it happened."""

    stage: str
    """``index``, ``training``, ``generate`` or ``load``."""
    system: str = ""
    """Whose step it was; empty: of all."""
    done: int
    of: int
    """How many steps there are, those of earlier attempts among them; ``done`` counts likewise."""
    loss: float | None = None
    failures: int = 0
    """So far."""
    seconds: float | None = None
    """How long it took, from its scheduled moment."""
    in_flight: int = 0
    """Requests that were under way when it ended."""
    mode: str = ""
    """The condition of a load."""
    at: float = field(default_factory=time.monotonic)


Observer = Callable[[Note], None]
"""Takes a note and returns at once: what it makes of it has to happen elsewhere."""


def _nobody(_: Note) -> None:
    """Where nobody listens."""


_OBSERVER: ContextVar[Observer] = ContextVar("observer", default=_nobody)


def tell(seen: Note) -> None:
    """Tell whoever follows the run."""
    _OBSERVER.get()(seen)


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Everything that is noted inside goes to this observer."""
    token = _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.reset(token)
