"""A stream of an engine that answers in batches: one request at a time, the others wait their turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from systems.base import Completion, Request


@dataclass(frozen=True)
class InTurn:
    """The engine's work runs in a thread, so that the event loop stays free; the wait for it is the queue."""

    generate: Callable[[Sequence[Request]], Iterable[tuple[int, Completion]]]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def complete(self, request: Request) -> Completion:
        """See ``systems.base.Stream``. Nothing tells the first token from the last, so all of it is ``decode``."""
        asked = time.perf_counter()
        await self.turn.acquire()
        begun = time.perf_counter()
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(None, lambda: [one for _, one in self.generate([request])])
        # Who gives up does not stop the thread: the turn is over when the work is.
        working.add_done_callback(lambda _: self.turn.release())
        (found,) = await asyncio.shield(working)
        seconds = time.perf_counter() - begun
        return replace(found, timings={"queue": begun - asked, "decode": seconds})

    async def reset_prefix_cache(self) -> bool:
        """Nothing is kept between calls, so every prompt is cold."""
        return True
