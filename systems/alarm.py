"""Coroutines woken at an exact moment.

An event loop waits in whole milliseconds (``epoll``), so its own sleep is late by half of one on average: too coarse
to send requests by a schedule, or to be a server of known delay. A thread's wait is exact to a tenth of that.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from types import TracebackType


class Alarm:
    """A thread that wakes whoever waits. Moments are ``time.perf_counter()``'s."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._ring, name="alarm", daemon=True)
        self._thread.start()

    async def until(self, moment: float) -> None:
        """Return at that moment; at once where it has passed."""
        if moment <= time.perf_counter():
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._changed:
            heapq.heappush(self._due, (moment, next(self._numbers), loop, future))
            if self._due[0][3] is future:
                self._changed.notify()
        await future

    def _ring(self) -> None:
        with self._changed:
            while not self._closed:
                wait = self._due[0][0] - time.perf_counter() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                _, _, loop, future = heapq.heappop(self._due)
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_wake, future)

    def close(self) -> None:
        """End the thread; who still waits is not woken."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def __enter__(self) -> Alarm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
