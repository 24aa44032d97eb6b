"""Cores that vLLM computes on: all where there are few, unless somebody has said otherwise."""

from __future__ import annotations

import os

import pytest

from systems.engines.cores import RESERVED, all_of_few


@pytest.mark.parametrize(("cores", "inside"), [(1, "0"), (4, "0"), (5, None), (64, None)])
def test_none_is_kept_free_of_few(cores: int, inside: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RESERVED, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    with all_of_few():
        assert os.environ.get(RESERVED) == inside
    assert RESERVED not in os.environ


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
