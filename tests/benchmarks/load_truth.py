"""The client of a load against an engine of known delay: what it reports beside what is true.

Truth is the engine's delay and what preparing a prompt takes (its own stage); the rest is the client's error. Then
the engine stalls once for two seconds: whoever was due meanwhile has waited, and p99 has to say so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from bench.loading.arrivals import Poisson
from bench.loading.client import Client
from bench.loading.records import Request
from bench.pocket import WEIGHTS
from bench.stats import order_statistic
from bench.tasks.company.facts import Facts
from bench.world.company import found
from systems.alarm import Alarm
from systems.base import Completion, Stream
from systems.base import Request as Call
from systems.engines.stub import StubEngine
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from tests.benchmarks.record import Figure, show

RATES = (50, 200, 500)
SECONDS = 10
DELAY = 0.05
STALL = 2.0


@dataclass
class Stalling:
    """A stream that answers nobody from a moment on, for ``STALL`` seconds."""

    inner: Stream
    alarm: Alarm
    stalls_at: float

    async def complete(self, request: Call) -> Completion:
        completion = await self.inner.complete(request)
        if self.stalls_at <= time.perf_counter() < self.stalls_at + STALL:
            await self.alarm.until(self.stalls_at + STALL)
        return completion

    async def reset_prefix_cache(self) -> bool:
        return True


async def loaded(rate: int, stall: bool) -> list[Request]:
    model = Model(name="pocket", path=str(WEIGHTS), context_tokens=1536)
    engine = StubEngine(model=model, delay_seconds=DELAY, first_token_seconds=DELAY / 2)
    task = Facts(name="facts", metrics=(), world=found(3, entities=60), count=100)
    count = rate * SECONDS
    samples = (task.samples("test") * (1 + count // 100))[:count]
    system = Prompted(name="prompt", model=model, engine=engine, prompt=PromptBuilder(shots=0))
    times = Poisson().times(rate, count, np.random.default_rng(rate))

    with Alarm() as alarm, ThreadPoolExecutor(2) as pool:
        async with streaming(engine, alarm, stall) as stream:
            client = Client(system=system, stream=stream, pool=pool, alarm=alarm, timeout_seconds=30, in_flight=10_000)
            await anext(client.open_loop(samples[:1], np.zeros(1), 0))
            return [record async for record in client.open_loop(samples, times, warm_up=rate)]


@asynccontextmanager
async def streaming(engine: StubEngine, alarm: Alarm, stall: bool) -> AsyncIterator[Stream]:
    async with engine.streaming() as stream:
        yield Stalling(stream, alarm, time.perf_counter() + SECONDS / 2) if stall else stream


def errors(records: Sequence[Request]) -> list[float]:
    """Seconds by which the latency of each measured request is off."""
    return [one.e2e - DELAY - one.timings["prompt"] for one in records if one.measured]


def main() -> None:
    figures = []
    for rate in RATES:
        off = errors(asyncio.run(loaded(rate, stall=False)))
        figures += [
            Figure(f"p50 off the truth at {rate} requests/s", 1000 * abs(order_statistic(off, 0.5)), "ms", "<= 1"),
            Figure(f"p99 off the truth at {rate} requests/s", 1000 * abs(order_statistic(off, 0.99)), "ms", "<= 5"),
        ]
    stalled = asyncio.run(loaded(50, stall=True))
    times = [record.e2e for record in stalled if record.measured]
    # A fifth of the requests were due in the two seconds, evenly: the slowest hundredth waited nearly all of it.
    least = STALL * (1 - 0.02 * SECONDS / STALL) - 0.05
    figures += [
        Figure("p99 with a stall of 2 s", order_statistic(times, 0.99), "s", f">= {least:.2f}"),
        Figure("p99 with a stall, at most", order_statistic(times, 0.99), "s", f"<= {STALL + 2 * DELAY:.2f}"),
        Figure("requests sent late by more than 10 ms", sum(r.lag > 0.01 for r in stalled) / len(stalled), "share"),
        Figure("requests per rate", SECONDS * RATES[0], "count"),
    ]
    show("load_truth", 1, figures)


if __name__ == "__main__":
    main()
