"""Cores that vLLM computes on: all where there are few, unless somebody has said otherwise."""

from __future__ import annotations

import asyncio
import os

import pytest

from bench.pocket import WEIGHTS
from systems.engines.cores import RESERVED, all_of_few, reserved
from systems.engines.vllm import VllmEngine
from systems.model import Model


@pytest.mark.parametrize(("cores", "inside"), [(1, "0"), (2, "0"), (3, None), (64, None)])
def test_none_is_kept_free_of_few(cores: int, inside: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RESERVED, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    assert reserved() == inside
    with all_of_few():
        assert os.environ.get(RESERVED) == inside
    assert RESERVED not in os.environ


def test_batches_take_all_and_loads_leave_what_vllm_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RESERVED, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    seen = []

    class Started(Exception):
        """An engine would be there now."""

    def started(engine: VllmEngine, start: object) -> None:
        seen.append(os.environ.get(RESERVED))
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
    assert seen == ["0", None]


def test_an_engine_that_does_not_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RESERVED, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    with pytest.raises(ZeroDivisionError), all_of_few():
        1 / 0  # noqa: B018
    assert RESERVED not in os.environ


def test_what_was_said_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RESERVED, "1")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    with all_of_few():
        assert os.environ[RESERVED] == "1"
    assert os.environ[RESERVED] == "1"
