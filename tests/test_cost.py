"""The cost model by hand, its intervals by simulation, and the price files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

import conf
from bench.cost import (
    Price,
    Upkeep,
    api_cost_per_call,
    break_even_surface,
    break_even_volume,
    cost_estimate,
    cost_per_accepted,
    cost_per_call,
    retry_cost,
)
from bench.records import Estimate
from bench.report import cost_estimates
from systems.base import UserError

MACHINE = Price(name="m", kind="machine", per_hour=3.6, source="made up", date="2025-01-31")
API = Price(name="a", kind="api", per_million_in=2.0, per_million_out=10.0, source="made up", date="2025-01-31")


def estimate(value: float | None, low: float | None = None, high: float | None = None, **rest: Any) -> Estimate:
    return Estimate(estimate=value, low=low, high=high, n=10, **({"unit": "USD per call"} | rest))


def test_cost_per_call_by_hand() -> None:
    """3.6/h on 2 devices at 4 requests/s: 0.0005; at 0.3 of it; with 0.001 of search and 100 over 1000 calls."""
    assert cost_per_call(MACHINE, 2, 4) == pytest.approx(0.0005)
    assert cost_per_call(MACHINE, 2, 4, 0.3) == pytest.approx(0.0005 / 0.3)
    assert cost_per_call(MACHINE, 2, 4, extra=0.001, fixed=100, volume=1000) == pytest.approx(0.1015)
    assert cost_per_call(MACHINE, 2, 4, fixed=100) == pytest.approx(0.0005)
    assert api_cost_per_call(API, 1000, 100) == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cost_per_call(API, 1, 1), "machine"),
        (lambda: api_cost_per_call(MACHINE, 1, 1), "api"),
        (lambda: cost_per_call(MACHINE, 0, 1), "devices=0"),
        (lambda: cost_per_call(MACHINE, 1, 0), "goodput=0"),
        (lambda: cost_per_call(MACHINE, 1, 1, 1.5), "utilisation=1.5"),
        (lambda: cost_per_call(MACHINE, 1, 1, fixed=1, volume=0), "volume=0"),
        (lambda: Price(name="x", kind="machine", source="s", date="2025-01-31"), "per_hour is missing"),
        (lambda: Price(name="x", kind="api", per_million_in=1, source="s", date="2025-01-31"), "per_million_out"),
        (lambda: Price(name="x", kind="machine", per_hour=-1, source="s", date="2025-01-31"), "per_hour=-1"),
        (lambda: Price(name="x", kind="machine", per_hour=1, date="2025-01-31"), "source"),
        (lambda: Price(name="x", kind="machine", per_hour=1, source="s", date="yesterday"), "ISO date"),
        (lambda: Price(name="x", kind="gold"), "kind='gold'"),  # type: ignore[arg-type]
        (lambda: retry_cost(1, 1.2), "adherence"),
    ],
)
def test_mistakes_are_named(call: Any, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


def test_cost_takes_goodputs_interval_upside_down() -> None:
    found = cost_estimate(MACHINE, 1, estimate(2.0, 1.0, 4.0, unit="requests/s"), mode="warm")
    assert (found.estimate, found.low, found.high) == pytest.approx((0.0005, 0.00025, 0.001))
    assert (found.unit, found.mode) == ("USD per call", "warm")
    nothing = cost_estimate(MACHINE, 1, estimate(0.0, unit="requests/s"))
    assert nothing.estimate is None
    assert nothing.reason


def test_cost_per_accepted_by_hand() -> None:
    """A known cost over a share of .5 (.4 to .625): the interval is the share's, inverted."""
    found = cost_per_accepted(estimate(0.01), estimate(0.5, 0.4, 0.625, unit="share"))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.02, 0.016, 0.025))
    assert found.unit == "USD per accepted answer"


def test_cost_per_accepted_covers_simulated_ratios() -> None:
    generator = np.random.default_rng(0)
    cost, share = np.exp(generator.normal(np.log(0.01), 0.1, 20_000)), generator.binomial(200, 0.6, 20_000) / 200
    expected = np.quantile(cost / share, [0.025, 0.975])
    ends = [np.quantile(part, [0.025, 0.975]) for part in (cost, share)]
    found = cost_per_accepted(estimate(0.01, *map(float, ends[0])), estimate(0.6, *map(float, ends[1])))
    assert (found.low, found.high) == pytest.approx(tuple(expected), rel=0.02)


def test_cost_per_accepted_without_an_end() -> None:
    open_end = cost_per_accepted(estimate(0.01), estimate(0.1, 0.0, 0.3, unit="share"))
    assert open_end.high is None
    assert open_end.low is not None
    assert cost_per_accepted(estimate(0.01), estimate(0.0, 0.0, 0.2)).reason == "no answer was accepted"
    assert cost_per_accepted(estimate(None, reason="no load run"), estimate(0.5)).reason == "no load run"


def test_retries() -> None:
    """Half of the calls fail, three attempts: 1/2 + 1/4 of a call more."""
    assert retry_cost(0.01, 0.5, 3) == pytest.approx(0.0075)
    assert retry_cost(0.01, 1.0) == 0


def test_break_even_by_hand() -> None:
    """a: 1000 + 0.01 V, b: 200 + 0.03 V: equal at 40,000 calls, above that a."""
    found = break_even_volume(1000, 200, 0.01, 0.03)
    assert (found.verdict, found.cheaper) == ("break_even", "a")
    assert found.volume == pytest.approx(40_000)
    turned = break_even_volume(200, 1000, 0.03, 0.01)
    assert (turned.cheaper, turned.volume) == ("b", pytest.approx(40_000))


@pytest.mark.parametrize(
    ("costs", "verdict", "cheaper"),
    [
        ((100, 200, 0.01, 0.03), "dominated", "a"),
        ((200, 100, 0.03, 0.01), "dominated", "b"),
        ((100, 100, 0.01, 0.03), "dominated", "a"),
        ((100, 100, 0.03, 0.01), "dominated", "b"),
        ((200, 100, 0.01, 0.01), "dominated", "b"),
        ((100, 100, 0.01, 0.01), "same", None),
    ],
)
def test_dominated(costs: tuple[float, ...], verdict: str, cheaper: str | None) -> None:
    found = break_even_volume(*costs)
    assert (found.verdict, found.volume, found.cheaper) == (verdict, None, cheaper)


def test_break_even_interval() -> None:
    """c_b − c_a = 0.02 ± 0.01 from b alone: V* from 800/0.03 to 800/0.01; across 0 it has no upper end."""
    found = break_even_volume(1000, 200, 0.01, estimate(0.03, 0.02, 0.04))
    assert (found.low, found.volume, found.high) == pytest.approx((800 / 0.03, 40_000, 80_000))
    wide = break_even_volume(1000, 200, estimate(0.01, 0.001, 0.05), estimate(0.03, 0.02, 0.04))
    assert wide.high is None
    assert wide.low is not None
    assert wide.volume is not None
    assert wide.low < wide.volume


def test_surface_meets_the_break_even_volume() -> None:
    """Re-index for 1 an update, re-train for 50: at 4 updates the zero lies at (200 + 0 − 4 − 0)/0.02."""
    rag, tuned = Upkeep(fixed=0, per_update=1), Upkeep(fixed=0, per_update=50)
    surface = break_even_surface(tuned, rag, 0.01, 0.03, [0, 9800, 20_000], [0, 4])
    assert surface[1] == pytest.approx([196, 0, -204])
    assert surface[0] == pytest.approx([0, -196, -400])


def test_a_price_is_for_the_kind_of_machine_that_answered() -> None:
    """A CPU's price on a GPU's throughput would be two orders of magnitude too low: no cost, and why."""
    rate = estimate(2.0, 1.0, 4.0, unit="requests/s")
    cpu, gpu = dataclasses.replace(MACHINE, device="cpu"), dataclasses.replace(MACHINE, device="gpu")

    def cost(price: Price, ran_on: str | None) -> list[float | None]:
        return [one.estimate for one in cost_estimates(price, {}, rate, 1, ran_on)["cost_per_call"]]

    assert cost(cpu, "cpu") == cost(gpu, "gpu") == cost(MACHINE, "gpu") == pytest.approx([0.0005, 0.0005 / 0.3])
    assert cost(gpu, None) == pytest.approx([0.0005, 0.0005 / 0.3])  # a server of the user's own: they know it
    assert cost(cpu, "gpu") == cost(gpu, "cpu") == cost(cpu, None) == [None]
    [refused] = cost_estimates(cpu, {}, rate, 1, "gpu")["cost_per_call"]
    assert "ran on a GPU" in str(refused.reason)


def test_tokens_without_an_end_have_a_price_without_an_end() -> None:
    tokens = {"tokens_in": estimate(1000, unit="tokens"), "tokens_out": estimate(100, unit="tokens")}
    [call] = cost_estimates(API, tokens, None, 1, None)["cost_per_call"]
    assert (call.estimate, call.low, call.high) == (pytest.approx(0.003), None, None)
    accepted = {**tokens, "accepted": estimate(0.5, 0.4, 0.6, unit="share")}
    [share] = cost_estimates(API, accepted, None, 1, None)["cost_per_accepted_answer"]
    assert share.estimate == pytest.approx(0.006)


@pytest.mark.parametrize("path", sorted((Path(conf.__file__).parent / "price").glob("*.yaml")), ids=lambda p: p.stem)
def test_price_files(path: Path) -> None:
    config = OmegaConf.load(path)
    if path.stem == "api":
        config.update(per_million_in=1.0, per_million_out=2.0, source="a contract", date="2025-01-31")
    price = instantiate(config, _convert_="all")
    assert price.name == path.stem
    assert price.kind in ("machine", "api", "none")
    if price.kind == "machine":
        assert cost_per_call(price, 1, 1.0) == pytest.approx(price.per_hour / 3600)
