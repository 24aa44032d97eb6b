from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from bench.loading.plan import Load
from bench.loading.service import RateSearch, ServiceLevel
from systems.base import UserError


def row(e2e: float, ttft: float | None, tokens: int = 5, error: str | None = None) -> dict[str, Any]:
    return {"e2e": e2e, "timings": {} if ttft is None else {"ttft": ttft}, "tokens_out": tokens, "error": error}


def test_a_request_has_to_keep_every_limit() -> None:
    level = ServiceLevel(share=0.5, ttft_seconds=0.2, tpot_seconds=0.1, e2e_seconds=1.0)
    assert level.kept(row(0.5, 0.1))  # (0.5 - 0.1) / 4 = 0.1 s per token
    assert not level.kept(row(0.5, 0.3))
    assert not level.kept(row(0.6, 0.1))
    assert not level.kept(row(1.2, 0.1, tokens=100))
    assert not level.kept(row(0.5, 0.1, error="429"))
    assert not level.kept(row(0.5, None))  # no time of the first token, so no proof that it was in time
    assert not ServiceLevel(tpot_seconds=0.1).kept(row(0.5, None))  # nor of the pace after it
    assert level.kept(row(0.5, 0.1, tokens=1))
    assert level.attained([row(0.5, 0.1), row(0.5, 0.3), row(0.5, 0.1), row(0.0, None, error="x")]) == 0.5
    assert level.words == "50 % within TTFT 0.2 s, TPOT 0.1 s, E2E 1 s"


def searched(search: RateSearch, capacity: float) -> tuple[dict[float, bool], tuple[float | None, float | None]]:
    tried: dict[float, bool] = {}
    while (rate := search.next(tried)) is not None:
        assert rate not in tried
        tried[rate] = rate <= capacity
    return tried, search.bounds(tried)


@pytest.mark.parametrize("capacity", [0.3, 1.0, 7.3, 40.0, 333.0])
def test_the_search_ends_near_the_capacity(capacity: float) -> None:
    search = RateSearch(first=4, most=1024, precision=1.15)
    tried, (low, high) = searched(search, capacity)
    assert low is not None
    assert high is not None
    assert low <= capacity < high <= 1.15 * low
    assert len(tried) < 16


def test_the_search_stays_within_its_bounds() -> None:
    assert searched(RateSearch(first=4, most=100), 1000.0)[1] == (100, None)
    tried, bounds = searched(RateSearch(first=4, most=100, least=0.5), 0.1)
    assert (bounds, min(tried)) == ((None, 0.5), 0.5)


def test_a_rate_that_failed_once_bounds_all_above_it() -> None:
    # 16 was kept by luck after 8 had failed: the search goes on below 8.
    assert RateSearch().bounds({4.0: True, 8.0: False, 16.0: True}) == (4.0, 8.0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"e2e_seconds": 0}, "load.level.e2e_seconds=0"),
        ({"e2e_seconds": float("nan")}, "load.level.e2e_seconds=nan"),
        ({"share": 1.5, "e2e_seconds": 1}, "load.level.share=1.5"),
        ({}, "needs a limit"),
    ],
)
def test_a_level_that_cannot_be_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        ServiceLevel(**settings)


@pytest.mark.parametrize("settings", [{"first": 0}, {"most": 1, "first": 2}, {"precision": 1.0}, {"least": 8}])
def test_a_search_that_cannot_end_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"load.search"):
        RateSearch(**settings)


def test_a_probe_lasts_until_the_queue_of_an_excess_is_seen() -> None:
    level = ServiceLevel(share=0.9, ttft_seconds=0.5, e2e_seconds=2)
    # At 1.2 times the capacity the wait grows by 0.2 s a second: 2 s after 10 s, and for a tenth of all after 11.1 s.
    assert level.seconds_to_show(1.2) == pytest.approx(2 / 0.18)
    load = Load(level=level, search=RateSearch(precision=1.2), requests=50, warm_up=8, seconds=3)
    probe = load.cell("rag", "cold", "request", 0, rate=100, search=True)
    assert load.count(probe) == 8 + math.ceil(100 * 2 / 0.18)
    assert load.count(replace(probe, rate=1)) == 8 + 50
    assert load.count(replace(probe, search=False)) == 8 + 300
