"""An engine that stops answering for a while, and what its users then wait: no coordinated omission."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable
from dataclasses import dataclass

from systems.alarm import Alarm
from systems.base import Completion, Request, Stream

STALL = 2.0
STALLS_AT = 2.5
"""Seconds after the load begins."""


@dataclass
class Stalling:
    """A stream that answers nobody for ``STALL`` seconds."""

    inner: Stream
    alarm: Alarm
    begun: float = 0.0
    """When the load began, from which ``STALLS_AT`` counts."""

    async def complete(self, request: Request) -> Completion:
        completion = await self.inner.complete(request)
        await self.alarm.until(self.begun + answered(time.perf_counter() - self.begun))
        return completion

    async def reset_prefix_cache(self) -> bool:
        return True


def answered(moment: float) -> float:
    """When an answer comes that would come at this moment, were it not for the stall."""
    return STALLS_AT + STALL if STALLS_AT <= moment < STALLS_AT + STALL else moment


def queued(times: Iterable[float], places: int, seconds: float) -> list[float]:
    """Seconds that users wait who are due at these times: so many are served at once, first come first, each for so
    many seconds."""
    free = [0.0] * places
    waits = []
    for due in times:
        ends = answered(max(due, free[0]) + seconds)
        heapq.heapreplace(free, ends)
        waits.append(ends - due)
    return waits
