"""What a comparison could have found, and what it shows to be the same: by hand and by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bench.aggregate import comparisons
from bench.contrasts import Contrast, contrast
from bench.sensitivity import detectable, equivalence
from bench.stats import minimum_detectable_effect, two_one_sided_tests
from bench.stats.resampling import mean_fold
from bench.tables import Table
from tests.test_aggregate import Given, run

UNIT = (0.0, 1.0)


def table(
    task: str,
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    clusters: Sequence[object] | np.ndarray | None = None,
    bounds: tuple[float, float] | None = UNIT,
) -> Table:
    columns = tuple(np.column_stack([one, np.ones(len(one))]).astype(float) for one in (first, second))
    names = tuple(f"{task}-{one}" for one in (range(len(first)) if clusters is None else clusters))
    return Table(task, columns, names, mean_fold, bounds)


def differ(*tables: Table, repeats: int = 2000) -> Contrast:
    return contrast(tables, (1.0, -1.0), 0.95, repeats, 0)


def test_a_task_without_spread_has_its_own_share_in_the_suites_sensitivity() -> None:
    """90 equal pairs in one task, 10 of 10 for a in the other: half of what either could have shown, as squares.

    Equal pairs: 6 of 90 must be discordant, P(B(90, d) >= 6) = 0.8. Ten discordant ones have the error sqrt(1 / 10).
    """
    found = detectable(differ(table("big", [1, 0] * 45, [1, 0] * 45), table("small", [1] * 10, [0] * 10))).difference
    nothing = stats.beta.ppf(0.8, 6, 85)
    everything = (stats.norm.isf(0.025) + stats.norm.isf(0.2)) * np.sqrt(1 / 10)
    assert found == pytest.approx(np.hypot(nothing / 2, everything / 2))


@pytest.mark.parametrize("share", [0.5, 0.75])
def test_the_suites_sensitivity_has_the_power_it_claims(share: float) -> None:
    """40 pairs of which 4 in 10 are discordant, and 15 of which 6 in 10 are: 80 % of sign-flip tests find it.

    ``share``: how much of the difference stands in the first task.
    """
    sizes, discordances = (40, 15), (0.4, 0.6)
    tables = []
    for n, psi in zip(sizes, discordances, strict=True):
        half = round(n * psi / 2)
        rest = [1] * (n - 2 * half)
        tables.append(table(str(n), [1] * half + [0] * half + rest, [0] * half + [1] * half + rest))
    effect = detectable(differ(*tables)).difference
    assert effect is not None
    generator, hits, trials = np.random.default_rng(0), 0, 300
    effects = 2 * effect * share, 2 * effect * (1 - share)
    for _ in range(trials):
        tables = []
        for at, (n, psi, one) in enumerate(zip(sizes, discordances, effects, strict=True)):
            at_least = max(psi, one)
            chances = [(at_least + one) / 2, (at_least - one) / 2, 1 - at_least]
            drawn = generator.choice([1, -1, 0], size=n, p=chances)
            tables.append(table(str(at), drawn > 0, drawn < 0))
        hits += differ(*tables, repeats=20).exchange_test(1000, 0).p_value < 0.05
    assert hits / trials == pytest.approx(0.8, abs=0.06)


def test_so_few_clusters_show_nothing() -> None:
    """Two clusters flip four ways: p is never below 0.5. Six that agree are the first that could be shown."""
    two = detectable(differ(table("t", [0.5] * 10, [0.3] * 10, list("aaaaabbbbb"))))
    assert (two.difference, two.reason) == (None, "so few clusters show nothing")
    six = detectable(differ(table("t", [0.5] * 12, [0.3] * 12, list("aabbccddeeff")))).difference
    assert six is not None
    assert 0.5 < six <= 1
    rows = comparisons(*run({"t": {"a": [1, 0, 1], "b": [0, 0, 1]}}).records, [Given()])
    assert (rows[0]["mde"], rows[0]["mde_reason"]) == (None, "so few pairs show nothing")


def test_no_difference_beyond_the_largest_possible_is_detectable() -> None:
    values = [1.0, 0, 1, 0, 1, 0]
    found = detectable(differ(table("t", np.repeat(values, 3), np.repeat(values[::-1], 3), np.repeat(range(6), 3))))
    error = np.std([1, -1] * 3, ddof=1) / np.sqrt(6)
    assert minimum_detectable_effect(float(error), 6) > 1  # type: ignore[operator]
    assert found.difference is None
    assert found.reason is not None


def test_the_sensitivity_of_a_mean_over_clusters_is_students() -> None:
    generator = np.random.default_rng(2)
    first, second = generator.random(60) * 0.5, generator.random(60) * 0.5
    found = detectable(differ(table("t", first, second, np.repeat(range(20), 3)))).difference
    error = stats.sem((first - second).reshape(20, 3).mean(axis=1))
    assert found == pytest.approx((stats.t.isf(0.025, 19) + stats.t.isf(0.2, 19)) * error)


def test_a_fold_has_the_sensitivity_of_the_mean_it_equals() -> None:
    """A fold that is a mean in disguise: Student's factor is taken once, not once more over an expanded interval."""
    generator = np.random.default_rng(3)
    ids = np.repeat(range(8), 5)
    first, second = (generator.random((8, 1)) * 0.6 + 0.4 * generator.random((8, 5)) for _ in range(2))
    mean = table("t", first.ravel(), second.ravel(), ids)
    fold = Table("t", mean.columns, mean.clusters, lambda totals: mean_fold(totals), UNIT)
    of_mean, of_fold = (detectable(differ(one, repeats=20_000)).difference for one in (mean, fold))
    assert not fold.is_mean
    assert of_fold == pytest.approx(of_mean, rel=0.03)


def test_units_do_not_change_what_is_shown() -> None:
    """The same times in seconds and in milliseconds: every number is a thousand times as large, or missing in both."""
    generator = np.random.default_rng(4)
    first, second = generator.random(30) * 0.9, generator.random(30) * 0.9
    for one, two in ((first, second), (np.full(30, 0.25), np.full(30, 0.25))):
        seconds, thousandths = (
            comparisons(*run({"t": {"a": one * scale, "b": two * scale}}).records, [Given(unit="mean")])[0]
            for scale in (1, 1000)
        )
        for key in ("difference", "low", "high", "mde"):
            expected = None if seconds[key] is None else pytest.approx(1000 * seconds[key], abs=1e-9)
            assert thousandths[key] == expected
        assert thousandths["p_value"] == seconds["p_value"]
    assert seconds["low"] is None
    assert "no spread" in seconds["method"]


def test_sameness_is_tested_on_the_comparisons_own_pairs() -> None:
    generator = np.random.default_rng(5)
    first = generator.random(60)
    second = first + generator.normal(0.005, 0.05, size=60)
    names = [str(at // 3) for at in range(60)]
    found = equivalence(differ(table("t", first, second, names, None)), 0.05)
    assert found.p_value == pytest.approx(two_one_sided_tests(first - second, 0.05, names).p_value)
    assert found.equivalent


def test_sameness_over_the_suite_by_hand() -> None:
    """Two tasks of 40: the mean of their differences, half the root of their squared errors, Satterthwaite's t."""
    generator = np.random.default_rng(6)
    pairs = [(generator.random(40), generator.random(40)) for _ in range(2)]
    found = equivalence(differ(*(table(str(at), *pair) for at, pair in enumerate(pairs))), 0.1)
    errors = np.array([stats.sem(one - two) / 2 for one, two in pairs])
    difference = np.mean([np.mean(one - two) for one, two in pairs])
    freedom = np.sum(errors**2) ** 2 / np.sum(errors**4 / 39)
    above = stats.t.sf((difference + 0.1) / np.hypot(*errors), freedom)
    below = stats.t.cdf((difference - 0.1) / np.hypot(*errors), freedom)
    assert found.p_value == pytest.approx(max(above, below))


def test_right_or_wrong_answers_that_all_agree_are_the_same_only_in_numbers() -> None:
    def word(n: int) -> Any:
        rows = comparisons(*run({"t": {"a": [1.0] * n, "b": [1.0] * n}}).records, [Given()], margin=0.05)
        return rows[0]["equivalence"]

    assert word(500) == {"margin": 0.05, "p_value": pytest.approx(0, abs=1e-6), "equivalent": True}
    assert not word(10)["equivalent"]
    rows = comparisons(*run({"t": {"a": [1.0] * 9, "b": [1.0] * 9}}).records, [Given()], margin=0.05)
    assert {row["measure"] for row in rows if "equivalence" in row} == {"accuracy"}
