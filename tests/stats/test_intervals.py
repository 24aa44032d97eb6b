"""Intervals against statsmodels and scipy, by hand, and by coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from bench.stats import bootstrap_mean, cluster_bootstrap, quantile_interval, student_mean, wilson
from bench.stats.quantiles import order_statistic


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (83, 418), (999, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_equals_statsmodels(successes: int, n: int, level: float) -> None:
    found = wilson(successes, n, level)
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    assert found.estimate == successes / n
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_wilson_refuses_the_impossible(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="wilson"):
        wilson(successes, n)


def test_bootstrap_of_a_mean_is_near_students_interval() -> None:
    values = np.random.default_rng(3).normal(10, 2, size=40)
    found = bootstrap_mean(values, repeats=20_000, seed=1)
    low, high = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
    assert found.estimate == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05)


def test_students_interval_equals_scipys_and_needs_three_repeats() -> None:
    values = [4.0, 9.0, 5.5]
    found = student_mean(values)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 2, np.mean(values), stats.sem(values)))
    two = student_mean(values[:2])
    assert (two.estimate, two.low, two.high, two.method) == (6.5, None, None, "no interval")


def test_same_seed_same_interval_and_another_seed_another() -> None:
    values = [0.1, 0.4, 0.2, 0.9, 0.5, 0.3]
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert bootstrap_mean(values, seed=1, repeats=50) != bootstrap_mean(values, seed=2, repeats=50)


def test_clusters_of_equal_values_count_once() -> None:
    """Ten copies of each value carry no more than one: the interval is that of the single values."""
    values = np.random.default_rng(0).random(30)
    once = bootstrap_mean(values, seed=5)
    copied = cluster_bootstrap(np.repeat(values, 10), np.repeat(np.arange(30), 10), seed=5)
    naive = bootstrap_mean(np.repeat(values, 10), seed=5)
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))
    assert once.high is not None
    assert once.low is not None
    assert naive.high is not None
    assert naive.low is not None
    assert naive.high - naive.low < 0.4 * (once.high - once.low)


def test_one_cluster_gives_no_interval() -> None:
    found = cluster_bootstrap([1.0, 0.0, 1.0], ["a", "a", "a"])
    assert (found.low, found.high) == (None, None)
    assert found.estimate == pytest.approx(2 / 3)


def test_without_spread_the_interval_has_a_width() -> None:
    all_right = cluster_bootstrap([1.0] * 12, list("aabbccddeeff"), bounds=(0, 1))
    assert (all_right.low, all_right.high) == pytest.approx((wilson(6, 6).low, 1.0))
    no_difference = cluster_bootstrap([0.0] * 10, bounds=(-1, 1))
    # Two observations more, at -1 and 1: variance 2/12, so 1.96 * sqrt(2)/12.
    assert (no_difference.low, no_difference.high) == pytest.approx((-0.23099, 0.23099), abs=1e-5)


def test_blocks_of_memory_do_not_change_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random(200)
    whole = bootstrap_mean(values, repeats=4000)
    monkeypatch.setattr("bench.stats.resampling.CELLS_PER_BLOCK", 10_000)
    parts = bootstrap_mean(values, repeats=4000)
    assert (parts.low, parts.high) == pytest.approx((whole.low, whole.high), abs=0.005)


def test_coverage_of_the_cluster_bootstrap() -> None:
    """12 clusters of 5 with a shared part: 95 % nominal; the naive interval fails on the same data."""
    generator = np.random.default_rng(11)
    clustered = naive = 0
    for trial in range(200):
        values = np.repeat(generator.normal(size=12), 5) + 0.5 * generator.normal(size=60)
        found = cluster_bootstrap(values, np.repeat(np.arange(12), 5), repeats=500, seed=trial % 3)
        alone = bootstrap_mean(values, repeats=500, seed=trial % 3)
        assert found.low is not None
        assert found.high is not None
        assert alone.low is not None
        assert alone.high is not None
        clustered += found.low <= 0 <= found.high
        naive += alone.low <= 0 <= alone.high
    assert 0.90 <= clustered / 200 <= 0.99
    assert naive / 200 < 0.80


@pytest.mark.parametrize(("q", "floor"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_sample_floors(q: float, floor: int) -> None:
    assert quantile_interval(np.arange(floor - 1), q) is None
    assert quantile_interval(np.arange(floor), q) is not None


def test_median_interval_of_ten_is_the_second_to_the_ninth() -> None:
    """P(B(10, 1/2) <= 1) = 11/1024 = 0.0107, P(B <= 2) = 0.0547: the textbook ranks."""
    found = quantile_interval([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 0.5)
    assert found is not None
    assert (found.low, found.estimate, found.high) == (20, 50, 90)


def test_order_statistics() -> None:
    assert order_statistic([3, 1, 2], 0.5) == 2
    assert order_statistic(range(1, 11), 0.9) == 9
    assert order_statistic([1.0, float("inf")], 0.99) == float("inf")


def test_coverage_of_the_quantile_interval() -> None:
    generator = np.random.default_rng(2)
    truth = stats.expon.ppf(0.9)
    hits = 0
    for _ in range(400):
        found = quantile_interval(generator.exponential(size=100), 0.9)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
    assert hits / 400 >= 0.93


def test_blocks_widen_the_interval_of_autocorrelated_latencies() -> None:
    generator = np.random.default_rng(4)
    truth, together, alone = 0.0, 0, 0
    for _ in range(100):
        values = np.repeat(generator.normal(size=20), 20) + 0.3 * generator.normal(size=400)
        blocked = quantile_interval(values, 0.5, blocks=np.repeat(np.arange(20), 20))
        plain = quantile_interval(values, 0.5)
        assert blocked is not None
        assert blocked.low is not None
        assert blocked.high is not None
        assert plain is not None
        assert plain.low is not None
        assert plain.high is not None
        together += blocked.low <= truth <= blocked.high
        alone += plain.low <= truth <= plain.high
    assert together >= 88
    assert alone < 60


def test_a_single_block_is_no_evidence() -> None:
    assert quantile_interval(np.arange(1000), 0.5, blocks=["only"] * 1000) is None
