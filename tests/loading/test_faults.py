"""A load on servers in trouble: every kind of it is a counted outcome, and nothing is left open."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.journal import Journal, read
from bench.load import Loading
from bench.loading.deployments import Deployment
from bench.loading.measured import Whole
from bench.loading.measures import load_measures
from bench.loading.plan import Load
from bench.records import Sample
from systems.base import Query, Request
from systems.engines.openai import OpenAIEngine
from systems.engines.stub import StubEngine
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from tests.engines import server as play
from tests.engines.server import Server, serving
from tests.tiny import write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model"))


def loaded(
    model: Model,
    engine: OpenAIEngine | StubEngine,
    path: Path,
    load: Load,
    names: tuple[str, ...] = ("a",),
    until: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Measures by system of a load on this engine, interrupted as soon as that holds."""
    systems = {name: Prompted(name=name, model=model, engine=engine, prompt=PromptBuilder(shots=0)) for name in names}
    samples = [Sample(id=str(n), task="t", query=Query(text=f"what is {n}"), reference="x") for n in range(30)]

    async def run() -> None:
        deployment = Deployment(weights="request", engine=engine, systems=systems)
        try:
            with Journal(path) as journal:
                loading = asyncio.create_task(Loading(load, deployment, samples, Whole(()), journal).run())
                while until is not None and not (until() or loading.done()):
                    await asyncio.sleep(0.01)
                if until is not None:
                    loading.cancel()
                await loading
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}, "no task outlives the load"

    asyncio.run(run())
    found = load_measures(Whole(read(path)), load)
    return {name: {measure: modes[0] for measure, modes in found[name].items()} for name in found}


def served(model: Model, server: Server) -> OpenAIEngine:
    return OpenAIEngine(model=model, base_url=server.url)


def errors(path: Path) -> list[str | None]:
    return [line["error"] for line in read(path) if line["kind"] == "request"]


def test_every_kind_of_trouble_is_counted(model: Model, tmp_path: Path) -> None:
    trouble = [
        play.reset,
        play.stall,
        play.stream("data: {not json\n\n"),
        play.status(429),
        play.status(500),
        play.stream("<html>a proxy's greeting</html>"),
    ]
    load = Load(rates=(20,), requests=10, warm_up=0, timeout_seconds=1.0)
    with serving(*trouble, play.answer("it is 12")) as server:
        measures = loaded(model, served(model, server), tmp_path / "load.jsonl", load)["a"]
        assert len(server.bodies) == 10, "no request is tried twice"
    seen = [error for error in errors(tmp_path / "load.jsonl") if error]
    for words in ("ClientPayloadError", "TimeoutError", "JSONDecodeError", "HTTP 429", "HTTP 500", "ended before"):
        assert sum(words in error for error in seen) == 1, (words, seen)
    assert len(seen) == 6
    assert (measures["error_rate"].estimate, measures["timeout_rate"].estimate) == (0.5, 0.1)
    assert measures["error_rate"].n == 10


def test_a_server_that_dies_fails_what_follows_and_the_other_system_is_measured(model: Model, tmp_path: Path) -> None:
    load = Load(rates=(50,), requests=8, warm_up=0, timeout_seconds=1.0)
    with serving(play.answer("one"), play.answer("two"), play.die) as server:
        measures = loaded(model, served(model, server), tmp_path / "load.jsonl", load, names=("a", "b"))
    assert measures["a"]["error_rate"].estimate == 0.75
    assert measures["b"]["error_rate"].estimate == 1.0
    assert measures["b"]["latency_e2e_p50"].estimate is None
    assert len(errors(tmp_path / "load.jsonl")) == 16


def test_a_rate_that_the_client_cannot_send_marks_the_measures_invalid(model: Model, tmp_path: Path) -> None:
    load = Load(rates=(1e6,), requests=2000, warm_up=0, timeout_seconds=60.0)
    found = loaded(model, StubEngine(model=model), tmp_path / "load.jsonl", load)["a"]
    assert "INVALID: sent " in (found["latency_e2e_p50"].mode or "")
    assert found["latency_e2e_p50"].n == 2000


def test_the_heap_is_left_alone_while_users_wait(model: Model, tmp_path: Path) -> None:
    frozen: list[int] = []

    def answer(request: Request) -> str:
        frozen.append(gc.get_freeze_count())
        return "x"

    load = Load(rates=(200,), users=(2,), requests=5, warm_up=0)
    loaded(model, StubEngine(model=model, answer=answer), tmp_path / "load.jsonl", load)
    assert len(frozen) == 10
    assert min(frozen) > 0
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("leaves", ["at its end", "interrupted"])
def test_nothing_is_left_open(leaves: str, model: Model, tmp_path: Path) -> None:
    def sockets() -> int:
        links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
        return sum(os.path.exists(link) and os.readlink(link).startswith("socket:") for link in links)

    seconds = 0.2 if leaves == "at its end" else 30.0
    load = Load(rates=(50,), requests=4, warm_up=0, timeout_seconds=seconds)
    with serving(play.stall) as server:
        before, threads = sockets(), threading.active_count()
        path = tmp_path / "load.jsonl"
        if leaves == "at its end":
            loaded(model, served(model, server), path, load)
        else:
            with pytest.raises(asyncio.CancelledError):
                loaded(model, served(model, server), path, load, until=lambda: server.now == 4)
        deadline = 200
        while server.now and deadline:
            deadline -= 1
            threading.Event().wait(0.02)
        assert server.lost == 4, "who times out or is interrupted hangs up"
    assert sockets() <= before
    assert threading.active_count() <= threads
    assert len(errors(path)) == (4 if leaves == "at its end" else 0)
