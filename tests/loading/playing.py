"""A system over a stub engine of known delays, and a client that asks it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bench.loading.client import Client
from bench.loading.records import Request
from bench.records import Sample
from systems.alarm import Alarm
from systems.base import Answer, Prepared, Query, Stream
from systems.base import Request as Call


@dataclass
class Timed:
    """A system that does what it is told, in so many seconds, and counts how many are with it at once."""

    seconds: Callable[[int], float]
    error: Callable[[int], Exception | None] = lambda number: None
    name: str = "timed"
    alarm: Alarm | None = None
    at_once: int = 0
    most_at_once: int = 0
    cancelled: int = 0
    asked: list[float] = field(default_factory=list)

    def prepare(self, query: Query) -> Prepared:
        raise AssertionError("is asked by serve alone")

    def respond(self, prepared: Any, in_flight: int | None = None) -> Any:
        raise AssertionError("is asked by serve alone")

    async def serve(self, query: Query, stream: Stream, pool: Executor) -> Answer:
        begun = time.perf_counter()
        self.asked.append(begun)
        number = int(query.text)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            if (error := self.error(number)) is not None:
                raise error
            assert self.alarm is not None
            await self.alarm.until(begun + self.seconds(number))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.at_once -= 1
        took = time.perf_counter() - begun
        return Answer(
            text="x", timings={"decode": took, "ttft": took / 2, "e2e": took}, pieces=(0.1, 0.3), tokens_out=2
        )


class NoStream:
    """``Timed`` asks no engine."""

    async def complete(self, request: Call) -> Any:
        raise AssertionError

    async def reset_prefix_cache(self) -> bool:
        return True


def samples(count: int) -> list[Sample]:
    return [Sample(id=str(n), task="t", query=Query(text=str(n)), reference="x") for n in range(count)]


def asked(
    system: Any,
    ask: Callable[[Client], AsyncGenerator[Request]],
    *,
    timeout_seconds: float = 5.0,
    in_flight: int = 64,
    stream: Stream | None = None,
) -> list[Request]:
    """The records of a load, by number."""

    async def run() -> list[Request]:
        with Alarm() as alarm, ThreadPoolExecutor(2) as pool:
            if isinstance(system, Timed):
                system.alarm = alarm
            client = Client(
                system=system,
                stream=stream or NoStream(),
                pool=pool,
                alarm=alarm,
                timeout_seconds=timeout_seconds,
                in_flight=in_flight,
            )
            found = [record async for record in ask(client)]
            assert asyncio.all_tasks() == {asyncio.current_task()}  # nothing is left behind
            return found

    return sorted(asyncio.run(run()), key=lambda record: record.number)
