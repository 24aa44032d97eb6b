"""The client of a load against engines of known delay: what it reports beside what is true.

Truth is the engine's delay and what preparing a prompt takes (its own stage); the rest is the client's error. In
process the delay is the stub engine's; over HTTP it is what a server in a process of its own says that each answer took
it. Then the stub engine stalls once for two seconds: whoever was due meanwhile has waited. With few places most of them
wait before a request is sent, so who counts from there does not see it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import numpy as np

from bench.heap import set_aside
from bench.loading.arrivals import Poisson
from bench.loading.client import HEADSTART, Client
from bench.loading.machine import watched
from bench.loading.records import Request
from bench.pocket import WEIGHTS
from bench.stats import order_statistic
from bench.tasks.company.facts import Facts
from bench.world.company import found
from systems.alarm import Alarm
from systems.base import Stream
from systems.engines.openai import OpenAIEngine
from systems.engines.stub import StubEngine
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from tests.benchmarks import telling
from tests.benchmarks.record import Figure, show
from tests.benchmarks.stalling import Stalling, queued

RATES = (50, 200, 500)
SECONDS = 10
DELAY = 0.05
STALLED_RATE = 100
PLACES = {"8": 8, "any number": 10_000}
"""Requests that the system works on at once. Eight are 160 requests/s: enough, and under 1 % of those measured."""
MODEL = Model(name="pocket", path=str(WEIGHTS), context_tokens=1536)


def arrivals(rate: int) -> np.ndarray:
    return Poisson().times(rate, rate * SECONDS, np.random.default_rng(rate))


@asynccontextmanager
async def in_process() -> AsyncIterator[Stream]:
    engine = StubEngine(model=MODEL, delay_seconds=DELAY, first_token_seconds=DELAY / 2)
    async with engine.streaming() as stream:
        yield stream


@asynccontextmanager
async def stalling() -> AsyncIterator[Stream]:
    with Alarm() as alarm:
        async with in_process() as stream:
            yield Stalling(stream, alarm)


@asynccontextmanager
async def over_http(address: str) -> AsyncIterator[Stream]:
    async with OpenAIEngine(model=MODEL, base_url=address).streaming() as stream:
        yield telling.Told(stream)


async def loaded(
    rate: int, engine: AbstractAsyncContextManager[Stream], in_flight: int = PLACES["any number"]
) -> list[Request]:
    """The measured requests of a load."""
    task = Facts(name="facts", metrics=(), world=found(3, entities=60), count=100)
    times = arrivals(rate)
    samples = (task.samples("test") * (1 + len(times) // 100))[: len(times)]
    system = Prompted(name="prompt", model=MODEL, engine=StubEngine(model=MODEL), prompt=PromptBuilder(shots=0))
    with Alarm() as alarm, ThreadPoolExecutor(2) as pool:
        async with engine as stream:
            client = Client(
                system=system, stream=stream, pool=pool, alarm=alarm, timeout_seconds=30, in_flight=in_flight
            )
            await anext(client.open_loop(samples[:1], np.zeros(1), 0))
            with set_aside():
                if isinstance(stream, Stalling):
                    stream.begun = time.perf_counter() + HEADSTART
                records = [record async for record in client.open_loop(samples, times, warm_up=rate)]
    assert not any(record.error for record in records), next(record.error for record in records if record.error)
    return sorted((record for record in records if record.measured), key=lambda record: record.number)


def off(name: str, errors: Sequence[float]) -> list[Figure]:
    """Figures of the seconds by which each measured request is off the truth."""
    return [
        Figure(f"p50 off the truth, {name}", 1000 * abs(order_statistic(errors, 0.5)), "ms", "<= 1"),
        Figure(f"p99 off the truth, {name}", 1000 * abs(order_statistic(errors, 0.99)), "ms", "<= 5"),
    ]


def from_send(record: Request) -> float:
    """What a client would report that counts from the moment it sent the request."""
    return record.e2e - record.timings["send"] - record.timings["admission"]


def stalled(name: str, places: int) -> list[Figure]:
    """The slowest hundredth, beside that of a queue worked out by hand."""
    records = asyncio.run(loaded(STALLED_RATE, stalling(), places))
    truth = queued(arrivals(STALLED_RATE), places, DELAY)[STALLED_RATE:]
    told, true, sent = (
        order_statistic(times, 0.99)
        for times in ([record.e2e for record in records], truth, [from_send(record) for record in records])
    )
    return [
        Figure(f"p99 with a stall of 2 s, {name} in flight", told, "s"),
        Figure(f"p99 counted from the send, {name} in flight", sent, "s"),
        Figure(f"p99 off the truth with a stall, {name} in flight", 1000 * abs(told - true), "ms", "<= 5"),
    ]


def main() -> None:
    figures = []
    with telling.serving() as address, watched() as usage:
        for rate in RATES:
            records = asyncio.run(loaded(rate, in_process()))
            figures += off(
                f"in process, {rate} requests/s", [one.e2e - DELAY - one.timings["prompt"] for one in records]
            )
        for rate in RATES:
            records = asyncio.run(loaded(rate, over_http(address)))
            for measure, times in (
                ("E2E", [one.e2e - one.timings["server e2e"] - one.timings["prompt"] for one in records]),
                ("TTFT", [one.timings["ttft"] - one.timings["server ttft"] - one.timings["prompt"] for one in records]),
            ):
                figures += off(f"{measure} over HTTP, {rate} requests/s", times)
            late = 1000 * order_statistic([record.lag for record in records], 0.99)
            figures.append(Figure(f"p99 sent late, over HTTP, {rate} requests/s", late, "ms"))
        for name, places in PLACES.items():
            figures += stalled(name, places)
    figures.append(Figure("processors used by others meanwhile", usage.other_cpu_share, "share"))
    show("load_truth", 1, figures)


if __name__ == "__main__":
    main()
