"""The gate: passed, not passed, or nobody can say, by where the interval lies."""

from __future__ import annotations

import pytest

from bench.gate import LEAST, gate
from bench.records import Estimate
from bench.stats import wilson


def success(value: float | None, low: float | None, high: float | None) -> Estimate:
    return Estimate(estimate=value, low=low, high=high, n=100, unit="share")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.90, 1.00, "passed"),
        (0.85, 0.95, "passed"),
        (0.84, 0.95, "cannot say"),
        (0.70, 0.85, "cannot say"),
        (0.70, 0.84, "not passed"),
        (None, None, "cannot say"),
    ],
)
def test_the_whole_interval_has_to_be_on_one_side(low: float | None, high: float | None, verdict: str) -> None:
    found = gate({"facts": {"success_at_5": success(0.8, low, high)}})
    assert found["facts"]["verdict"] == verdict
    assert found["facts"]["success_at_5"]["estimate"] == 0.8


def test_without_labels_nobody_can_say_and_why() -> None:
    found = gate({"extraction": {"accuracy": success(0.5, 0.4, 0.6)}})["extraction"]
    assert found["verdict"] == "cannot say"
    assert (found["success_at_5"]["estimate"], found["success_at_5"]["n"]) == (None, 0)
    assert "no relevant documents are labelled" in found["success_at_5"]["reason"]


def test_how_many_it_takes_to_pass_without_a_miss() -> None:
    """Wilson's lower end at n of n is n / (n + 1.96²): 21.8 and more reach 85 %."""
    assert [wilson(n, n).low >= LEAST for n in (21, 22)] == [False, True]  # type: ignore[operator]
