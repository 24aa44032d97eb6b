"""An event loop in which time passes only while nothing is to be done, and then at once."""

from __future__ import annotations

import asyncio
import selectors

from systems.alarm import Alarm


class _Selector(selectors.SelectSelector):
    """Moves the clock on in the place of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Its clock starts at 0 and is its own."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


class SimulatedAlarm(Alarm):
    """Wakes at moments of such a loop, without a thread."""

    def __init__(self) -> None:
        pass

    async def until(self, moment: float) -> None:
        await asyncio.sleep(moment - asyncio.get_running_loop().time())
