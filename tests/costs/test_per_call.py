"""Costs of calls by hand, and their intervals by simulation."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from bench.costs.accepted import cost_per_accepted, retries, retry_cost
from bench.costs.estimates import cost_estimates
from bench.costs.machine import Machine
from bench.costs.per_call import api_cost_per_call, cost_per_call, from_rate, plus
from bench.costs.price import Price
from bench.records import Estimate
from systems.base import UserError

MACHINE = Price(name="m", kind="machine", per_hour=3.6, source="made up", date="2025-01-31")
API = Price(name="a", kind="api", per_million_in=2.0, per_million_out=10.0, source="made up", date="2025-01-31")
CPU = Machine(ran_on="cpu", cores=2)


def estimate(value: float | None, low: float | None = None, high: float | None = None, **rest: Any) -> Estimate:
    return Estimate(estimate=value, low=low, high=high, n=10, **({"unit": "USD per call"} | rest))


def test_cost_per_call_by_hand() -> None:
    """3.6/h on 2 devices at 4 requests/s: 0.0005; at 0.3 of it; with 0.001 of search and 100 over 1000 calls."""
    assert cost_per_call(MACHINE, 2, 4) == pytest.approx(0.0005)
    assert cost_per_call(MACHINE, 2, 4, 0.3) == pytest.approx(0.0005 / 0.3)
    more = plus(estimate(0.0005, 0.0004, None), 0.001 + 100 / 1000)
    assert (more.estimate, more.low, more.high) == (pytest.approx(0.1015), pytest.approx(0.1014), None)
    assert api_cost_per_call(API, 1000, 100) == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cost_per_call(API, 1, 1), "machine"),
        (lambda: api_cost_per_call(MACHINE, 1, 1), "api"),
        (lambda: cost_per_call(MACHINE, 0, 1), "devices=0"),
        (lambda: cost_per_call(MACHINE, 1, 0), "goodput=0"),
        (lambda: cost_per_call(MACHINE, 1, 1, 1.5), "utilisation=1.5"),
        (lambda: retry_cost(1, 1.2), "adherence"),
    ],
)
def test_mistakes_are_named(call: Any, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_cost_takes_goodputs_interval_upside_down() -> None:
    found = from_rate(MACHINE, 1, estimate(2.0, 1.0, 4.0, unit="requests/s"), mode="warm")
    assert (found.estimate, found.low, found.high) == pytest.approx((0.0005, 0.00025, 0.001))
    assert (found.unit, found.mode) == ("USD per call", "warm")
    nothing = from_rate(MACHINE, 1, estimate(0.0, unit="requests/s"))
    assert nothing.estimate is None
    assert nothing.reason


def test_cost_per_accepted_by_hand() -> None:
    """A cost that hardly varies over a share of .5 (.4 to .625): the interval is the share's, inverted."""
    found = cost_per_accepted(estimate(0.01, 0.01, 0.01), estimate(0.5, 0.4, 0.625, unit="share"))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.02, 0.016, 0.025))
    assert found.unit == "USD per accepted answer"


def test_a_cost_that_is_a_point_gives_no_interval() -> None:
    point = dataclasses.replace(estimate(0.01), method="one search: no interval")
    found = cost_per_accepted(point, estimate(0.5, 0.4, 0.625, unit="share"))
    assert (found.estimate, found.low, found.high, found.method) == (0.02, None, None, "one search: no interval")


def test_cost_per_accepted_covers_simulated_ratios() -> None:
    generator = np.random.default_rng(0)
    cost, share = np.exp(generator.normal(np.log(0.01), 0.1, 20_000)), generator.binomial(200, 0.6, 20_000) / 200
    expected = np.quantile(cost / share, [0.025, 0.975])
    ends = [np.quantile(part, [0.025, 0.975]) for part in (cost, share)]
    found = cost_per_accepted(estimate(0.01, *map(float, ends[0])), estimate(0.6, *map(float, ends[1])))
    assert (found.low, found.high) == pytest.approx(tuple(expected), rel=0.02)


def test_cost_per_accepted_without_an_end() -> None:
    open_end = cost_per_accepted(estimate(0.01, 0.01, 0.01), estimate(0.1, 0.0, 0.3, unit="share"))
    assert open_end.high is None
    assert open_end.low is not None
    # An end that the cost does not have is none of the ratio's, and the other end is as it was.
    dear = cost_per_accepted(estimate(0.01, 0.005, None), estimate(0.5, 0.5, 0.5, unit="share"))
    assert (dear.low, dear.high) == (pytest.approx(0.01), None)
    cheap = cost_per_accepted(estimate(0.01, None, 0.02), estimate(0.5, 0.5, 0.5, unit="share"))
    assert (cheap.low, cheap.high) == (None, pytest.approx(0.04))
    assert cost_per_accepted(estimate(0.01), estimate(0.0, 0.0, 0.2)).reason == "no answer was accepted"
    assert cost_per_accepted(estimate(None, reason="no load run"), estimate(0.5)).reason == "no load run"


def test_retries() -> None:
    """Half of the calls fail, three attempts: 1/2 + 1/4 of a call more."""
    assert retry_cost(0.01, 0.5, 3) == pytest.approx(0.0075)
    assert retry_cost(0.01, 1.0) == 0


def test_retries_take_the_ends_of_both() -> None:
    """Two attempts: a cost of .01 (.008 to .012) times a failing share of .2 (.1 to .4)."""
    found = retries(estimate(0.01, 0.008, 0.012), estimate(0.8, 0.6, 0.9, unit="share"), 2)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.002, 0.0008, 0.0048))
    missing = retries(estimate(0.01), estimate(None, unit="share", reason="no format"), 2)
    assert (missing.estimate, missing.reason) == (None, "no format")


RATES = {
    "throughput": [
        estimate(8.0, unit="requests/s", mode="open loop, 8 requests/s"),
        estimate(1.0, unit="requests/s", mode="closed loop, 1 at once"),
        estimate(2.0, 1.0, 4.0, unit="requests/s", mode="closed loop, 4 at once"),
    ]
}


def test_goodput_goes_before_throughput_and_the_mode_says_which() -> None:
    """From throughput: the highest that users reached who wait for their answers; an open loop's is what was asked."""
    calls = cost_estimates(MACHINE, CPU, RATES)["cost_per_call"]
    assert [one.estimate for one in calls] == pytest.approx([0.0005, 0.0005 / 0.3])
    assert [one.mode for one in calls] == [
        "m 100 % used; throughput: closed loop, 4 at once",
        "m 30 % used; throughput: closed loop, 4 at once",
    ]
    goodput = [estimate(4.0, unit="requests/s", mode=mode) for mode in ("cache cold", "cache warm")]
    calls = cost_estimates(MACHINE, CPU, {**RATES, "goodput": goodput})["cost_per_call"]
    assert [one.estimate for one in calls] == pytest.approx([0.00025, 0.00025 / 0.3] * 2)
    assert [one.mode for one in calls][1:3] == ["m 30 % used; goodput: cache cold", "m 100 % used; goodput: cache warm"]
    none = estimate(None, unit="requests/s", reason="the limits were met at no rate", mode="cache cold")
    [call, _] = cost_estimates(MACHINE, CPU, {**RATES, "goodput": none})["cost_per_call"]
    assert (call.estimate, call.reason) == (None, "the limits were met at no rate")


def test_without_a_rate_there_is_no_cost() -> None:
    assert cost_estimates(MACHINE, CPU, {"accepted": estimate(0.5, unit="share")}) == {}
    assert cost_estimates(Price(name="none", kind="none"), CPU, RATES) == {}


def test_an_open_loop_alone_has_no_cost() -> None:
    [call] = cost_estimates(MACHINE, CPU, {"throughput": RATES["throughput"][:1]})["cost_per_call"]
    assert call.estimate is None
    assert call.reason is not None
    assert "load.level" in call.reason


def test_tokens_without_an_end_have_a_price_without_an_end() -> None:
    tokens = {"tokens_in": estimate(1000, unit="tokens"), "tokens_out": estimate(100, unit="tokens")}
    [call] = cost_estimates(API, CPU, tokens)["cost_per_call"]
    assert (call.estimate, call.low, call.high) == (pytest.approx(0.003), None, None)
    accepted = {**tokens, "accepted": estimate(0.5, 0.4, 0.6, unit="share")}
    [share] = cost_estimates(API, CPU, accepted)["cost_per_accepted_answer"]
    assert share.estimate == pytest.approx(0.006)
