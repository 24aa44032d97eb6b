"""Our client beside ``vllm bench serve``: the same server, prompts and arrival times, in turn.

They count from the moment a request is sent, we from the one it was due: what lies between is shown beside it. Each
measures the median time to the first token and end to end; the two have to be equivalent within 3 % where the server
runs on a GPU, within 10 % on a CPU. The clients have a core of their own, the server the others: where they share one,
the lighter client finds the faster server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.heap import set_aside
from bench.loading.client import Client
from bench.loading.records import Request
from bench.pocket import WEIGHTS
from bench.records import Sample
from bench.stats import order_statistic, two_one_sided_tests
from bench.tasks.company.facts import Facts
from bench.world.company import found
from systems.alarm import Alarm
from systems.base import Answer, Prepared, Query, Sampling, Stream
from systems.base import Request as Call
from systems.engines.openai import OpenAIEngine
from systems.model import Model
from systems.prompts import PromptBuilder
from tests.benchmarks.demo import fresh
from tests.benchmarks.record import Figure, show
from tests.benchmarks.vllm_command import environment

PAIRS = 12
REQUESTS = 400
TOKENS = 24
PORT = 8231
MARGINS = {"GPU": 0.03, "CPU": 0.10}
"""By what the server runs on."""
CORES = sorted(os.sched_getaffinity(0))
SERVERS = ",".join(map(str, CORES[:-1]))
"""Its cores; the last one is the clients'."""


@dataclass(frozen=True)
class Plain:
    """A system that sends the query's text as it is."""

    name: str = "plain"

    def prepare(self, query: Query) -> Prepared:
        raise AssertionError("is asked by serve alone")

    def respond(self, prepared: Any, in_flight: int | None = None) -> Any:
        raise AssertionError("is asked by serve alone")

    async def serve(self, query: Query, stream: Stream, pool: Executor) -> Answer:
        begun = time.perf_counter()
        one = await stream.complete(Call(messages=(), text=query.text, sampling=Sampling(max_tokens=TOKENS)))
        took = time.perf_counter() - begun
        return Answer(text=one.text, timings={**one.timings, "e2e": took}, tokens_out=one.tokens_out, error=one.error)


def device() -> str:
    """What the server runs on, as vLLM itself decides."""
    from vllm.platforms import current_platform

    return "CPU" if current_platform.is_cpu() else "GPU"


def vllm(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "vllm.entrypoints.cli.main", *arguments]


@contextlib.contextmanager
def server(root: Path, known: dict[str, str]) -> Iterator[None]:
    settings = ["--port", str(PORT), "--served-model-name", "pocket", "--max-model-len", "1536", "--block-size", "32"]
    with (root / "server.log").open("wb") as log:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", SERVERS, *vllm("serve", str(WEIGHTS), "--enforce-eager", *settings)],
            env=known,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 180
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=2).close()
                break
            waiting = process.poll() is None and time.monotonic() < deadline
            assert waiting, (root / "server.log").read_text()[-2000:]
            time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def theirs(root: Path, known: dict[str, str], prompts: Path, rate: float, seed: int) -> tuple[float, float]:
    """Median seconds to the first token and end to end, as ``vllm bench serve`` has them."""
    out = root / f"theirs-{seed}.json"
    subprocess.run(
        vllm(
            *("bench", "serve", "--backend", "openai", "--base-url", f"http://127.0.0.1:{PORT}", "--model", "pocket"),
            *("--tokenizer", str(WEIGHTS), "--dataset-name", "custom", "--dataset-path", str(prompts)),
            *("--skip-chat-template", "--custom-output-len", str(TOKENS), "--num-prompts", str(REQUESTS)),
            *("--request-rate", f"{rate:.3f}", "--seed", str(seed), "--temperature", "0", "--disable-shuffle"),
            *("--percentile-metrics", "ttft,e2el", "--metric-percentiles", "50", "--save-result"),
            *("--result-dir", str(root), "--result-filename", out.name),
        ),
        env=known, check=True, capture_output=True,
    )  # fmt: skip
    result = json.loads(out.read_text())
    assert result["completed"] == REQUESTS, result
    return result["median_ttft_ms"] / 1000, result["median_e2el_ms"] / 1000


async def asked(samples: list[Sample], rate: float | None, seed: int) -> list[Request]:
    model = Model(name="pocket", path=str(WEIGHTS), context_tokens=1536)
    engine = OpenAIEngine(model=model, base_url=f"http://127.0.0.1:{PORT}/v1")
    with Alarm() as alarm, ThreadPoolExecutor(1) as pool:
        async with engine.streaming() as stream:
            client = Client(system=Plain(), stream=stream, pool=pool, alarm=alarm, timeout_seconds=60, in_flight=10_000)
            if rate is None:
                return [one async for one in client.closed_loop(samples, 32, warm_up=0)]
            with set_aside():
                return [one async for one in client.open_loop(samples, arrivals(rate, seed), warm_up=0)]


def arrivals(rate: float, seed: int) -> np.ndarray:
    """The moments at which ``vllm bench serve`` sends: exponential gaps, stretched to the rate exactly."""
    times = np.cumsum(np.random.RandomState(seed).gamma(1.0, 1.0 / rate, REQUESTS))
    return np.asarray(times * (REQUESTS / rate / times[-1]))


def ours(samples: list[Sample], rate: float, seed: int) -> tuple[float, float, float]:
    """As theirs, and the median lag of sending."""
    records = asyncio.run(asked(samples, rate, seed))
    assert not any(record.error for record in records), next(record.error for record in records if record.error)
    return (
        order_statistic([record.timings["ttft"] for record in records], 0.5),
        order_statistic([record.e2e for record in records], 0.5),
        order_statistic([record.lag for record in records], 0.5),
    )


def main() -> None:
    root = fresh()
    assert len(CORES) > 1, "the clients need a core of their own"
    known = environment(root)
    model = Model(name="pocket", path=str(WEIGHTS), context_tokens=1536)
    task = Facts(name="facts", metrics=(), world=found(3, entities=150), count=REQUESTS)
    builder = PromptBuilder(shots=2)
    texts = [str(model.render(builder.messages(sample.query, ()))) for sample in task.samples("test")]
    samples = [Sample(id=str(n), task="t", query=Query(text=text), reference="x") for n, text in enumerate(texts)]
    prompts = root / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts))
    os.sched_setaffinity(0, CORES[-1:])  # and of what is started here
    with server(root, known):
        asyncio.run(asked(samples, None, 0))  # for the cache of prefixes and whatever compiles
        full = asyncio.run(asked(samples, None, 0))
        seconds = max(record.scheduled + record.e2e for record in full)
        rate = 0.35 * len(full) / seconds
        theirs(root, known, prompts, rate, 99), ours(samples, rate, 99)
        pairs = []
        for pair in range(PAIRS):  # the order turns, so that drift favours neither
            first = theirs(root, known, prompts, rate, pair) if pair % 2 else None
            own = ours(samples, rate, pair)
            pairs.append((own, first or theirs(root, known, prompts, rate, pair)))
            print(f"pair {pair}: ours {own}, theirs {pairs[-1][1]}", file=sys.stderr)
    os.sched_setaffinity(0, CORES)  # as the machine is told of with the figures
    where = device()
    margin = MARGINS[where]
    figures = [
        Figure(f"margin of a server on a {where}", margin, "share"),
        Figure("rate", rate, "requests/s"),
        Figure("requests of each", REQUESTS, "count"),
        Figure("p50 lag of sending, ours", statistics.median(own[2] for own, _ in pairs), "s"),
    ]
    for at, name in enumerate(("TTFT", "E2E")):
        ratios = [own[at] / other[at] for own, other in pairs]
        same = two_one_sided_tests(np.log(ratios), float(np.log1p(margin)))
        figures += [
            Figure(f"p50 {name}, ours / theirs", float(np.exp(np.mean(np.log(ratios)))), "ratio"),
            Figure(f"p50 {name}, ours", statistics.median(own[at] for own, _ in pairs), "s"),
            Figure(f"p50 {name}, p of not equivalent within {margin:.0%}", same.p_value, "p", "< 0.05"),
        ]
    show("load_parity", PAIRS, figures)


if __name__ == "__main__":
    main()
