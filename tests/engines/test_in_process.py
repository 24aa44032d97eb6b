"""Batches in this process: on a CPU of few cores, unless somebody has said otherwise; loads never."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.pocket import WEIGHTS
from systems.engines.in_process import MULTIPROCESSING, THREADS, in_process
from systems.engines.vllm import VllmEngine
from systems.model import Model


class Started(Exception):
    """An engine would be there now."""


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine of two cores and one memory, of which nobody has said anything."""
    for name in (MULTIPROCESSING, *THREADS):
        monkeypatch.delenv(name, raising=False)
    cores(monkeypatch, 2)
    nodes(monkeypatch, tmp_path, 1)
    monkeypatch.setattr(VllmEngine, "ran_on", "cpu")


def cores(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(count)))


def nodes(monkeypatch: pytest.MonkeyPatch, place: Path, count: int) -> None:
    for number in range(count):
        (place / f"node{number}").mkdir(exist_ok=True)
    monkeypatch.setattr("systems.engines.in_process.NODES", place)


def engine(**settings: Any) -> VllmEngine:
    return VllmEngine(model=Model(name="pocket", path=str(WEIGHTS)), **settings)


@pytest.mark.parametrize(("count", "found"), [(1, True), (2, True), (3, False), (64, False)])
def test_of_few_cores(count: int, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, count)
    assert engine().in_process is found


@pytest.mark.parametrize("name", THREADS)
def test_threads_that_somebody_has_set_are_left_to_vllm(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert not engine().in_process


def test_never_by_itself_on_a_gpu_or_two_memories_or_with_workers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert engine().in_process
    assert not engine(tensor_parallel_size=2).in_process
    assert not engine(pipeline_parallel_size=2).in_process
    assert not engine(distributed_executor_backend="mp").in_process
    nodes(monkeypatch, tmp_path, 2)
    assert not engine().in_process
    nodes(monkeypatch, tmp_path / "none", 0)
    assert engine().in_process
    monkeypatch.setattr(VllmEngine, "ran_on", "gpu")
    assert not engine().in_process


@pytest.mark.parametrize("ran_on", ["cpu", "gpu"])
@pytest.mark.parametrize("count", [2, 64])
def test_what_is_said_stands(count: int, ran_on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, count)
    monkeypatch.setattr(VllmEngine, "ran_on", ran_on)
    monkeypatch.setenv(MULTIPROCESSING, "0")
    assert engine().in_process
    monkeypatch.setenv(MULTIPROCESSING, "1")
    assert not engine().in_process


@pytest.mark.parametrize(("ran_on", "batch"), [("cpu", "0"), ("gpu", None)])
def test_batches_are_and_loads_are_not(ran_on: str, batch: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VllmEngine, "ran_on", ran_on)
    seen = []

    def started(engine: VllmEngine, start: object) -> None:
        seen.append(os.environ.get(MULTIPROCESSING))
        raise Started

    monkeypatch.setattr(VllmEngine, "_started", started)
    made = engine()

    async def load() -> None:
        async with made.streaming():
            pass

    with pytest.raises(Started):
        made.start()
    with pytest.raises(Started):
        asyncio.run(load())
    assert seen == [batch, None]


@pytest.mark.parametrize("said", [None, "0"])
def test_what_was_before_is_after(said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if said is not None:
        monkeypatch.setenv(MULTIPROCESSING, said)
    threads = torch.set_num_threads

    def start() -> None:
        torch.set_num_threads = print  # as vLLM does
        raise RuntimeError("did not start")

    with pytest.raises(RuntimeError), in_process():
        start()
    assert os.environ.get(MULTIPROCESSING) == said
    assert torch.set_num_threads is threads
