"""Break-even volumes and surfaces by hand."""

from __future__ import annotations

import dataclasses

import pytest

from bench.costs.break_even import break_even_volume
from bench.costs.settings import Settings
from bench.costs.upkeep import Upkeep, break_even_surface, surface, upkeep
from tests.costs.test_per_call import estimate


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


def test_points_have_no_interval() -> None:
    """One search for goodput is one number: neither the volume nor who dominates has an interval then."""
    point = dataclasses.replace(estimate(0.03), method="one search: no interval")
    found = break_even_volume(1000, 200, estimate(0.01, 0.005, 0.02), point)
    assert (found.volume, found.low, found.high) == (pytest.approx(40_000), None, None)
    assert found.no_interval == "one search: no interval"
    assert break_even_volume(100, 200, 0.01, point).no_interval == "one search: no interval"
    assert break_even_volume(1000, 200, 0.01, estimate(0.03, 0.02, 0.04)).no_interval is None


def test_a_cost_that_nothing_bounds_from_below_may_be_nothing() -> None:
    """A rate that was kept as high as was asked has no upper end: the call may cost 0, and a's 0.02 less than b's."""
    bound = break_even_volume(1000, 200, 0.01, estimate(0.03, 0.02, 0.04))
    open_below = break_even_volume(1000, 200, 0.01, estimate(0.03, None, 0.04))
    assert bound.high is not None
    assert open_below.high is None
    assert open_below.low == bound.low


def test_dominated_may_be_left_open_by_the_intervals() -> None:
    """a has 100 less to bear and costs .01 less a call, with an interval of c_b − c_a from −.01 to .03."""
    wide = break_even_volume(100, 200, 0.01, estimate(0.02, 0.0, 0.04))
    assert (wide.verdict, wide.cheaper) == ("dominated", "a")
    assert wide.low == pytest.approx(100 / 0.01)
    narrow = break_even_volume(100, 200, 0.01, estimate(0.02, 0.015, 0.03))
    assert narrow.low is None
    turned = break_even_volume(200, 100, estimate(0.02, 0.0, 0.04), 0.01)
    assert (turned.cheaper, turned.low) == ("b", pytest.approx(100 / 0.01))


def test_surface_meets_the_break_even_volume() -> None:
    """Re-index for 1 an update, re-train for 50: at 4 updates the zero lies at (200 + 0 − 4 − 0)/0.02."""
    rag, tuned = Upkeep(fixed=0, per_update=1), Upkeep(fixed=0, per_update=50)
    surface = break_even_surface(tuned, rag, 0.01, 0.03, [0, 9800, 20_000], [0, 4])
    assert surface[1] == pytest.approx([196, 0, -204])
    assert surface[0] == pytest.approx([0, -196, -400])


def test_upkeep_by_hand() -> None:
    """Once 1,200 + 60 + 40 of training over 10 months, 7 a month of operation; 40 an update."""
    own = Settings(months=10, curation={"tuned": 1200}, build=60, operation={"tuned": 7, "rag": 9})
    found = upkeep({"training": estimate(40)}, "tuned", own)
    assert found == Upkeep(fixed=137.0, per_update=40)
    assert isinstance(found, Upkeep)
    assert found.over(3) == 257
    both = {"indexing": estimate(1), "training": estimate(40)}
    assert upkeep(both, "hybrid", own) == Upkeep(fixed=10.1, per_update=41)
    assert upkeep({}, "prompt", Settings()) == Upkeep()
    assert upkeep({"training": estimate(None)}, "tuned", own) == "what one training costs is not known"


def test_the_surface_holds_what_was_declared() -> None:
    systems = {"a": (Upkeep(per_update=2), 0.01), "b": (Upkeep(fixed=5), 0.02)}
    found = surface(systems, 12_345, 7)
    [pair] = found["pairs"]
    row, column = found["updates_per_month"].index(7), found["volumes"].index(12_345)
    assert pair["difference"][row][column] == pytest.approx(2 * 7 - 5 - 0.01 * 12_345)
    assert surface(systems, None, None)["volumes"][0] == 100
