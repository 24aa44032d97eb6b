"""Cohen's kappa: by hand, against scikit-learn, and where it says nothing."""

from __future__ import annotations

import random

import pytest

from bench.stats.agreement import cohen_kappa


def test_by_hand() -> None:
    # 20 both yes, 15 both no, 5 and 10 otherwise: observed 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5.
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohen_kappa(first, second)
    assert found.estimate == pytest.approx(0.4)
    assert found.low is not None
    assert found.high is not None
    assert 0.1 < found.low < 0.25
    assert 0.55 < found.high < 0.7


def test_as_scikit_learn_has_it() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = random.Random(4)
    first = [rng.choice("abc") for _ in range(200)]
    second = [label if rng.random() < 0.6 else rng.choice("abcd") for label in first]
    assert cohen_kappa(first, second).estimate == pytest.approx(metrics.cohen_kappa_score(first, second))


def test_answers_to_one_question_are_no_new_evidence() -> None:
    rng = random.Random(5)
    first = [rng.random() < 0.5 for _ in range(60)]
    second = [label if rng.random() < 0.8 else not label for label in first]
    alone = cohen_kappa(first, second)
    fourfold = cohen_kappa(first * 4, second * 4, list(range(60)) * 4)
    assert fourfold.estimate == pytest.approx(alone.estimate)
    assert (fourfold.low, fourfold.high) == (pytest.approx(alone.low), pytest.approx(alone.high))


def test_where_it_says_nothing() -> None:
    assert cohen_kappa(["a", "b"] * 9, ["a", "b"] * 9).low is None
    assert cohen_kappa(["a", "b"], ["a", "a"], ["x", "x"]).low is None
    with pytest.raises(ValueError, match="one label throughout"):
        cohen_kappa(["a", "a"], ["a", "a"])
    with pytest.raises(ValueError, match="2 and 1 ratings"):
        cohen_kappa(["a", "a"], ["a"])
