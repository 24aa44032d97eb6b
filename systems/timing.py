"""How long a stage took, and for how much of it a processor worked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

CPU = "_cpu"


@contextmanager
def timed(timings: dict[str, float], stage: str, *, alone: bool = True) -> Iterator[None]:
    """Put the seconds of what happens inside into ``timings``, and this thread's processor seconds under
    ``stage + CPU``.

    ``alone``: whether this thread does all of the stage's work; where others help, it cannot be told.
    """
    worked = time.thread_time() if alone else 0.0
    begun = time.perf_counter()
    yield
    timings[stage] = time.perf_counter() - begun
    if alone:
        timings[stage + CPU] = time.thread_time() - worked
