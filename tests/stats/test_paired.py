"""Paired tests against statsmodels, by enumeration and by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from bench.stats import (
    bonett_price,
    holm,
    mcnemar_exact,
    minimum_detectable_effect,
    minimum_detectable_effect_paired,
    paired_cluster_bootstrap,
    sign_flip_permutation,
    two_one_sided_tests,
)
from bench.stats.power import mcnemar_power


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (0, 6), (5, 5), (3, 10), (12, 30), (200, 260)])
def test_mcnemar_equals_statsmodels(b: int, c: int) -> None:
    expected = mcnemar([[7, b], [c, 9]], exact=True).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(min(1.0, expected))


@pytest.mark.parametrize(("b", "c"), [(0, 0), (0, 6), (3, 10), (12, 30)])
def test_sign_flips_of_single_binary_samples_are_mcnemar(b: int, c: int) -> None:
    found = sign_flip_permutation([1] * b + [-1] * c + [0] * 20)
    assert found.p_value == pytest.approx(mcnemar_exact(b, c))
    assert found.method.endswith("exact")


def test_sign_flips_by_enumeration() -> None:
    """Cluster sums 3, -1, 2 and 0.5-valued ones: all patterns counted by hand."""
    for values, clusters in [
        ([1, 1, 1, -1, 1, 1], list("aaabcc")),
        ([0.5, 0.25, -0.125, 0.7, 0.1], list("aabcd")),
    ]:
        names = sorted(set(clusters))
        sums = [sum(v for v, c in zip(values, clusters, strict=True) if c == name) for name in names]
        flips = [
            abs(sum(s * x for s, x in zip(signs, sums, strict=True))) for signs in product((1, -1), repeat=len(sums))
        ]
        expected = np.mean([flip >= abs(sum(sums)) - 1e-12 for flip in flips])
        assert sign_flip_permutation(values, clusters).p_value == pytest.approx(expected)


def test_drawn_sign_flips_approach_the_exact_distribution() -> None:
    values = np.random.default_rng(1).normal(0.35, 1, size=12)
    exact = sign_flip_permutation(values, repeats=4096)
    drawn = sign_flip_permutation(values, repeats=4000)
    assert exact.method.endswith("exact")
    assert drawn.method.endswith("drawn")
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.03)


def test_a_cluster_of_many_is_no_more_evidence_than_one() -> None:
    assert sign_flip_permutation([1] * 50, ["only"] * 50).p_value == 1.0
    assert sign_flip_permutation([1] * 50).p_value < 1e-10


def test_level_of_the_cluster_test() -> None:
    """No difference between systems, errors clustered: the test keeps 5 %, McNemar's does not."""
    generator = np.random.default_rng(8)
    clustered = naive = 0
    for trial in range(200):
        shift = np.repeat(generator.choice([-1, 0, 1], size=15), 8)
        kept = shift * (generator.random(120) < 0.8)
        clustered += sign_flip_permutation(kept, np.repeat(np.arange(15), 8), seed=trial).p_value < 0.05
        naive += mcnemar_exact(int((kept > 0).sum()), int((kept < 0).sum())) < 0.05
    assert clustered / 200 <= 0.09
    assert naive / 200 > 0.25


def test_holm_equals_statsmodels() -> None:
    p_values = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04]
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))
    assert holm([]) == []


def test_bonett_price_by_hand() -> None:
    """n = 21, discordant 1 and 7: (2 − 8)/23 ± 1.96 √((10/23 − (6/23)²)/23)."""
    found = bonett_price(1, 7, 21)
    assert found.estimate == pytest.approx(-6 / 21)
    assert (found.low, found.high) == pytest.approx((-0.50833, -0.01341), abs=1e-4)


def test_bonett_price_without_discordant_pairs_has_a_width() -> None:
    found = bonett_price(0, 0, 10)
    assert found.low == -found.high  # type: ignore[operator]
    assert found.high == pytest.approx(0.23099, abs=1e-5)


def test_paired_bootstrap_keeps_the_pairing() -> None:
    first = np.random.default_rng(0).random(50)
    found = paired_cluster_bootstrap(first + 0.1, first, None)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_power_of_the_exact_test_by_enumeration() -> None:
    """Every table of 25 pairs: its chance, and whether statsmodels calls it significant."""
    n, discordance, difference = 25, 0.4, 0.25
    chances = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    tables = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    expected = sum(
        float(stats.multinomial.pmf([b, c, n - b - c], n, chances))
        for b, c in tables
        if b + c and mcnemar([[0, b], [c, 0]], exact=True).pvalue < 0.05
    )
    assert mcnemar_power(n, discordance, difference) == pytest.approx(expected, abs=1e-6)


def test_detectable_effect_of_ten_discordant_pairs_by_hand() -> None:
    """All discordant: 9 of 10 are needed (p = 0.021), so P(B(10, q) >= 9) = 0.8 and the difference is 2q − 1."""
    effect = minimum_detectable_effect_paired(10, 1.0)
    assert effect is not None
    assert stats.binom.sf(8, 10, (1 + effect) / 2) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize(("n", "discordance"), [(20, 0.45), (60, 0.3), (300, 0.2), (1000, 0.02)])
def test_detectable_effect_has_the_power_it_claims(n: int, discordance: float) -> None:
    """Simulated: 80 % of the exact tests find it."""
    effect = minimum_detectable_effect_paired(n, discordance)
    assert effect is not None
    chances = [(discordance + effect) / 2, (discordance - effect) / 2, 1 - discordance]
    drawn = np.random.default_rng(0).multinomial(n, chances, size=4000)
    power = np.mean([mcnemar_exact(int(b), int(c)) < 0.05 for b, c, _ in drawn])
    assert power == pytest.approx(0.8, abs=0.02)


def test_detectable_effect_where_nothing_differed() -> None:
    effect = minimum_detectable_effect_paired(100, 0.0)
    assert effect is not None
    assert stats.binom.sf(5, 100, effect) == pytest.approx(0.8)
    assert minimum_detectable_effect_paired(5, 0.4) is None


def test_detectable_effect_from_a_standard_error() -> None:
    assert minimum_detectable_effect(0.1, 100_000) == pytest.approx(0.1 * (1.959964 + 0.841621), rel=1e-4)
    assert minimum_detectable_effect(0.1, 5) > 0.3  # type: ignore[operator]
    assert minimum_detectable_effect(0.1, 1) is None


def test_equivalence_equals_statsmodels() -> None:
    values = np.random.default_rng(5).normal(0.02, 0.3, size=60)
    for margin in (0.05, 0.1, 0.2):
        found = two_one_sided_tests(values, margin)
        assert found.p_value == pytest.approx(DescrStatsW(values).ttost_mean(-margin, margin)[0])
    assert two_one_sided_tests(values, 0.2).equivalent
    assert not two_one_sided_tests(values, 0.05).equivalent


def test_equivalence_is_never_claimed_from_an_absent_difference() -> None:
    assert not two_one_sided_tests([0.0] * 5, 0.05).equivalent
    assert two_one_sided_tests([0.0] * 500, 0.05).equivalent
    assert not two_one_sided_tests([0.0] * 500, 0.05, ["one"] * 500).equivalent
    with pytest.raises(ValueError, match="margin"):
        two_one_sided_tests([0.0], 0.0)


def test_one_discordant_pair_is_no_better_evidence_of_sameness_than_none() -> None:
    none, one = two_one_sided_tests([0.0] * 50, 0.1), two_one_sided_tests([0.0] * 49 + [1.0], 0.1)
    assert none.p_value == pytest.approx(float(stats.t.sf(0.1 / (np.sqrt(2) / 52), 49)))
    assert one.p_value > none.p_value
