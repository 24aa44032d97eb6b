from __future__ import annotations

import pytest

from bench.reporting import numbers


@pytest.mark.parametrize(
    ("estimate", "low", "high", "unit", "words"),
    [
        (0.81, 0.763, 0.852, "share", "81 % (76–85)"),
        (0.034, 0.0121, 0.0688, "share", "3.4 % (1.2–6.9)"),
        (0.996, 0.981, 0.999, "share", "99.6 % (98.1–99.9)"),
        (1.0, 0.963, 1.0, "share", "100 % (96–100)"),
        (0.0, 0.0, 0.037, "share", "0 % (0–4)"),
        (0.4204, 0.4, 1.1, "s", "420 ms (400–1100)"),
        (1.2345, 0.9, 1.6, "seconds", "1.23 s (0.90–1.60)"),
        (0.00213, 0.0019, 0.0024, "s", "2.1 ms (1.9–2.4)"),
        (0.0213, 0.0191, 0.024, "USD", "$0.021 (0.019–0.024)"),
        (12.5, 11.0, 14.0, "USD/call", "$12.50 (11.00–14.00)"),
        (0.62, 0.581, 0.66, "mean", "0.62 (0.58–0.66)"),
        (412.0, 400.0, 424.4, "tokens", "412 tokens (400–424)"),
        (3.14159, 3.0, 3.3, "1/s", "3.14 1/s (3.00–3.30)"),
    ],
)
def test_an_estimate_is_printed_in_its_unit_with_few_digits(
    estimate: float, low: float, high: float, unit: str, words: str
) -> None:
    found = numbers.with_interval({"estimate": estimate, "low": low, "high": high, "n": 9, "unit": unit})
    assert found.replace(numbers.SPACE, " ") == words


def test_what_was_not_measured_is_a_dash_and_has_no_interval() -> None:
    assert numbers.with_interval({"estimate": None, "low": None, "high": None, "n": 3, "unit": "s"}) == "–"
    assert numbers.with_interval({"estimate": 0.5, "low": None, "high": 0.6, "n": 3, "unit": "share"}).endswith("%")
    assert numbers.with_interval(None) == "–"


@pytest.mark.parametrize(
    ("number", "words"), [(0.12, "+12 points"), (-0.043, "−4 points"), (0.01, "+1.0 points"), (0.0, "+0 points")]
)
def test_differences_of_shares_are_points(number: float, words: str) -> None:
    assert numbers.difference(number, "share").replace(numbers.SPACE, " ") == words


def test_intervals_of_differences_carry_their_signs() -> None:
    assert numbers.difference_interval(-0.05, 0.19, "share") == "−5 to +19"
    assert numbers.difference_interval(-0.0203, 0.1, "s") == "−20 to +100"


def test_p_values() -> None:
    assert numbers.p_value(0.00004).replace(numbers.SPACE, " ") == "< 0.001"
    assert numbers.p_value(0.0412) == "0.041"
    assert numbers.p_value(0.5) == "0.50"
    assert numbers.p_value(None) == "–"


def test_what_rounding_left_of_no_difference_is_none() -> None:
    assert numbers.difference(-1.1e-14, "tokens").replace(numbers.SPACE, " ") == "+0 tokens"
    assert numbers.difference_interval(-2.3e-16, 2.3e-16, "tokens") == "+0 to +0"
