"""vLLM asked as users ask: one engine of its own, started once for this file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.loading.client import Client
from bench.records import Sample
from bench.stats import order_statistic
from systems.alarm import Alarm
from systems.base import Query, Request, Sampling, Stream
from systems.engines.vllm import VllmEngine
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import PromptBuilder

BUILDER = PromptBuilder()


class Served:
    """A stream, and the event loop that it lives in."""

    def __init__(self, engine: VllmEngine) -> None:
        self.runner = asyncio.Runner()
        self._context = engine.streaming()
        self.stream: Any = self.runner.run(self._context.__aenter__())

    def close(self) -> None:
        self.runner.run(self._context.__aexit__(None, None, None))
        self.runner.close()
        del self.stream, self._context


@pytest.fixture(scope="module")
def served(pocket: Model) -> Iterator[Served]:
    made = Served(VllmEngine(model=pocket, max_lora_rank=8, dtype="float32"))
    yield made
    made.close()


def request(query: Query, adapter: Path | None = None, max_tokens: int = 12) -> Request:
    return Request(
        messages=BUILDER.messages(query, ()),
        sampling=Sampling(max_tokens=max_tokens),
        adapter=str(adapter) if adapter else None,
    )


def test_streamed_answers_are_those_of_the_quality_run(
    served: Served, engine: VllmEngine, queries: list[Query], adapter: Path
) -> None:
    asked = [request(query, on) for on in (None, adapter) for query in queries]

    async def stream() -> list[Any]:
        return await asyncio.gather(*(served.stream.complete(one) for one in asked))

    streamed = served.runner.run(stream())
    whole = dict(engine.generate(asked))
    for index, found in enumerate(streamed):
        assert (found.text, found.token_ids) == (whole[index].text, whole[index].token_ids)
        assert found.tokens_out == len(found.token_ids) >= len(found.pieces) > 0
        assert list(found.pieces) == sorted(found.pieces)
        assert found.timings["ttft"] == found.pieces[0]


def test_every_stage_is_timed_and_little_is_left_over(served: Served, pocket: Model, queries: list[Query]) -> None:
    samples = [Sample(id=str(n), task="t", query=query, reference="x") for n, query in enumerate(queries * 4)]
    system = Prompted(name="prompt", model=pocket, engine=VllmEngine(model=pocket), prompt=BUILDER)

    async def run(stream: Stream) -> list[Any]:
        with Alarm() as alarm, ThreadPoolExecutor(2) as pool:
            client = Client(system=system, stream=stream, pool=pool, alarm=alarm, timeout_seconds=30, in_flight=64)
            return [one async for one in client.open_loop(samples, np.arange(len(samples)) / 10, warm_up=4)]

    records = served.runner.run(run(served.stream))
    measured = [record for record in records if record.measured]
    assert not any(record.error for record in records)
    for stage in ("send", "wait", "prompt", "transport", "queue", "prefill", "decode", "validate"):
        assert all(record.timings[stage] >= 0 for record in measured), stage
    left = [abs(record.timings["unaccounted"]) / record.e2e for record in measured]
    assert order_statistic(left, 0.5) < 0.02
    assert sum(record.timings["unaccounted"] for record in measured) < 0.02 * sum(record.e2e for record in measured)


def test_who_gives_up_leaves_no_work_behind(served: Served, queries: list[Query]) -> None:
    async def give_up() -> float:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.004):  # before its first token
                await served.stream.complete(request(queries[0], max_tokens=1000))
        for _ in range(100):
            if not served.stream.engine.get_num_unfinished_requests():
                return time.monotonic() - begun
            await asyncio.sleep(0.02)
        raise AssertionError("the engine still works on it")

    assert served.runner.run(give_up()) < 2.5


def test_the_prefix_cache_is_emptied(served: Served, queries: list[Query]) -> None:
    long = replace(queries[0], instruction="Answer in one short sentence, and say nothing else. " * 8)

    async def cached() -> list[int]:
        found = []
        for emptied in (True, False, True):
            if emptied:
                assert await served.stream.reset_prefix_cache()
            found.append((await served.stream.complete(request(long))).tokens_cached)
        return found

    first, again, after = served.runner.run(cached())
    assert first == after == 0 < again
