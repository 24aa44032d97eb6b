"""Equivalence: "the same" is a claim with a margin, never an absent difference."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from bench.stats.resampling import cluster_ids

ALPHA = 0.05


@dataclass(frozen=True)
class Equivalence:
    """The word of two one-sided tests."""

    difference: float
    low: float | None
    high: float | None
    """Ends of the 1 − 2α interval: equivalence is claimed where it lies within ±margin."""
    margin: float
    p_value: float
    """The larger of the two one-sided p values."""
    equivalent: bool


def clustered_error(differences: np.ndarray, ids: np.ndarray) -> tuple[float, int]:
    """Standard error of the mean difference, robust to clusters, and the number of clusters."""
    clusters = int(ids.max()) + 1
    if clusters < 2:
        return float("nan"), clusters
    residuals = np.bincount(ids, differences - differences.mean())
    return float(np.sqrt(clusters / (clusters - 1) * np.sum(residuals**2)) / len(differences)), clusters


def unvaried_error(value: float, clusters: float, span: float) -> float:
    """Standard error of a difference in −span … span that is the same in all clusters.

    That of one cluster more in either direction (Bonett and Price 2012): none seen does not mean that there is none.
    """
    n = clusters + 2
    mean = clusters * value / n
    variance = (clusters * (value - mean) ** 2 + (span - mean) ** 2 + (-span - mean) ** 2) / n
    return float(np.sqrt(variance / n))


def within_margin(difference: float, error: float, freedom: float, margin: float, alpha: float = ALPHA) -> Equivalence:
    """Two one-sided t tests from a difference and its standard error; without an error nothing is claimed (p = 1).

    Raises ``ValueError`` for a margin that is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"two_one_sided_tests: margin {margin} must be above 0")
    if not freedom > 0 or not error > 0:
        return Equivalence(difference, None, None, margin, 1.0, False)
    above = float(stdtr(freedom, -(difference + margin) / error))
    below = float(stdtr(freedom, (difference - margin) / error))
    half = -float(stdtrit(freedom, alpha)) * error
    p_value = max(above, below)
    return Equivalence(difference, difference - half, difference + half, margin, p_value, p_value < alpha)


def two_one_sided_tests(
    differences: Sequence[float] | np.ndarray,
    margin: float,
    clusters: Sequence[Hashable] | None = None,
    alpha: float = ALPHA,
) -> Equivalence:
    """Tests that the mean paired difference lies within ±margin (Schuirmann 1987), by Student's t over clusters.

    Paired 0/1 outcomes have at least the error of clusters that all agree, with one more in either direction
    (``unvaried_error``): one discordant pair is no better evidence of sameness than none. Other differences without
    spread, and a single cluster, claim nothing (p = 1).
    """
    array = np.asarray(differences, dtype=float)
    if array.size == 0:
        raise ValueError("two_one_sided_tests: no differences")
    ids = np.arange(len(array)) if clusters is None else cluster_ids(clusters)
    mean = float(array.mean())
    error, count = clustered_error(array, ids)
    if count > 1 and bool(np.isin(array, (-1.0, 0.0, 1.0)).all()):
        error = max(error, unvaried_error(mean, count, 1.0))
    return within_margin(mean, error, count - 1, margin, alpha)
