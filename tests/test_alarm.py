from __future__ import annotations

import asyncio
import statistics
import time

from systems.alarm import Alarm


def test_it_wakes_at_the_moment_and_in_order() -> None:
    async def run() -> tuple[list[int], list[float]]:
        woken: list[int] = []
        late: list[float] = []
        begun = time.perf_counter() + 0.05

        async def wait(number: int, after: float) -> None:
            await alarm.until(begun + after)
            late.append(time.perf_counter() - begun - after)
            woken.append(number)

        with Alarm() as alarm:
            await asyncio.gather(*(wait(number, after) for number, after in enumerate((0.06, 0.02, 0.04, -1.0))))
        return woken, late

    woken, late = asyncio.run(run())
    assert woken == [3, 1, 2, 0]
    assert min(late) >= 0  # never early
    assert statistics.median(late) < 0.02


def test_who_is_cancelled_is_not_woken() -> None:
    async def run() -> None:
        with Alarm() as alarm:
            waiting = asyncio.create_task(alarm.until(time.perf_counter() + 0.02))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0.05)
            assert waiting.cancelled()
            await alarm.until(time.perf_counter() + 0.01)

    asyncio.run(run())
