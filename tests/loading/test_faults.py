"""A load on servers in trouble: every kind of it is a counted outcome, and nothing is left open."""

from __future__ import annotations

import asyncio
import os
import threading
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
from systems.base import Query
from systems.engines.openai import OpenAIEngine
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from tests.engines import server as play
from tests.engines.server import Server, serving
from tests.tiny import write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model"))


def loaded(model: Model, server: Server, path: Path, load: Load, names: tuple[str, ...] = ("a",)) -> dict[str, Any]:
    """Measures by system of a load on this server."""
    engine = OpenAIEngine(model=model, base_url=server.url)
    systems = {name: Prompted(name=name, model=model, engine=engine, prompt=PromptBuilder(shots=0)) for name in names}
    samples = [Sample(id=str(n), task="t", query=Query(text=f"what is {n}"), reference="x") for n in range(30)]
    with Journal(path) as journal:
        deployment = Deployment(weights="request", engine=engine, systems=systems)
        asyncio.run(Loading(load, deployment, samples, Whole(()), journal).run())
    found = load_measures(Whole(read(path)), load)
    return {name: {measure: modes[0] for measure, modes in found[name].items()} for name in found}


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
        measures = loaded(model, server, tmp_path / "load.jsonl", load)["a"]
        assert len(server.bodies) == 10, "no request is tried twice"
    seen = [error for error in errors(tmp_path / "load.jsonl") if error]
    for words in ("ClientPayloadError", "TimeoutError", "JSONDecodeError", "HTTP 429", "HTTP 500", "ended before"):
        assert sum(words in error for error in seen) == 1, (words, seen)
    assert len(seen) == 6
    assert (measures["error_rate"].estimate, measures["timeout_rate"].estimate) == (0.5, 0.1)
    assert measures["error_rate"].n == 10


def test_a_server_that_dies_fails_what_follows_and_the_other_system_is_measured(model: Model, tmp_path: Path) -> None:
    load = Load(rates=(50,), requests=8, warm_up=0, timeout_seconds=1.0)
    with serving(play.answer("one"), play.answer("two"), play.gone) as server:
        measures = loaded(model, server, tmp_path / "load.jsonl", load, names=("a", "b"))
    assert measures["a"]["error_rate"].estimate == 0.75
    assert measures["b"]["error_rate"].estimate == 1.0
    assert measures["b"]["latency_e2e_p50"].estimate is None
    assert len(errors(tmp_path / "load.jsonl")) == 16


def test_nothing_is_left_open(model: Model, tmp_path: Path) -> None:
    def sockets() -> int:
        links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
        return sum(os.path.exists(link) and os.readlink(link).startswith("socket:") for link in links)

    load = Load(rates=(50,), requests=4, warm_up=0, timeout_seconds=0.2)
    with serving(play.stall) as server:
        before, threads = sockets(), threading.active_count()
        loaded(model, server, tmp_path / "load.jsonl", load)
        deadline = 200
        while server.now and deadline:
            deadline -= 1
            threading.Event().wait(0.02)
        assert server.lost == 4, "who times out hangs up"
    assert sockets() <= before
    assert threading.active_count() <= threads
