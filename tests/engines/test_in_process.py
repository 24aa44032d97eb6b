"""Batches in this process: on a CPU of few cores, unless somebody has said otherwise; loads never."""

from __future__ import annotations

import asyncio
import os

import pytest
import torch

from bench.pocket import WEIGHTS
from systems.engines.in_process import MULTIPROCESSING, in_process, wanted
from systems.engines.vllm import VllmEngine
from systems.model import Model


def cores(monkeypatch: pytest.MonkeyPatch, count: int, said: str | None = None) -> None:
    monkeypatch.delenv(MULTIPROCESSING, raising=False)
    if said is not None:
        monkeypatch.setenv(MULTIPROCESSING, said)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(count)))


@pytest.mark.parametrize(
    ("count", "said", "found"),
    [(1, None, True), (2, None, True), (3, None, False), (64, None, False), (2, "1", False), (64, "0", True)],
)
def test_of_few_cores_or_as_is_said(count: int, said: str | None, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, count, said)
    assert wanted() is found


@pytest.mark.parametrize(("ran_on", "batch"), [("cpu", "0"), ("gpu", None)])
def test_batches_are_and_loads_are_not(ran_on: str, batch: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, 2)
    monkeypatch.setattr(VllmEngine, "ran_on", ran_on)
    seen = []

    class Started(Exception):
        """An engine would be there now."""

    def started(engine: VllmEngine, start: object) -> None:
        seen.append(os.environ.get(MULTIPROCESSING))
        raise Started

    monkeypatch.setattr(VllmEngine, "_started", started)
    engine = VllmEngine(model=Model(name="pocket", path=str(WEIGHTS)))

    async def load() -> None:
        async with engine.streaming():
            pass

    with pytest.raises(Started):
        engine.start()
    with pytest.raises(Started):
        asyncio.run(load())
    assert seen == [batch, None]


@pytest.mark.parametrize("said", [None, "0"])
def test_what_was_before_is_after(said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, 2, said)
    threads = torch.set_num_threads

    def start() -> None:
        torch.set_num_threads = print  # as vLLM does
        raise RuntimeError("did not start")

    with pytest.raises(RuntimeError), in_process():
        start()
    assert os.environ.get(MULTIPROCESSING) == said
    assert torch.set_num_threads is threads
