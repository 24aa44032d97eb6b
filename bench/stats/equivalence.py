"""Equivalence: "the same" is a claim with a margin, never an absent difference."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from bench.stats.resampling import cluster_ids


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


def two_one_sided_tests(
    differences: Sequence[float] | np.ndarray,
    margin: float,
    clusters: Sequence[Hashable] | None = None,
    alpha: float = 0.05,
) -> Equivalence:
    """Tests that the mean paired difference lies within ±margin (Schuirmann 1987), by Student's t over clusters.

    Without any spread there is no error to judge by. Paired 0/1 outcomes without spread (all pairs agree) get the
    error of a sample with one discordant pair more in either direction (Bonett and Price 2012); other differences
    without spread, and a single cluster, claim nothing (p = 1).
    """
    array = np.asarray(differences, dtype=float)
    if array.size == 0:
        raise ValueError("two_one_sided_tests: no differences")
    if not margin > 0:
        raise ValueError(f"two_one_sided_tests: margin {margin} must be above 0")
    ids = np.arange(len(array)) if clusters is None else cluster_ids(clusters)
    mean = float(array.mean())
    error, count = clustered_error(array, ids)
    if count > 1 and np.ptp(array) == 0 and mean in (-1.0, 0.0, 1.0):
        padded = np.concatenate([np.full(count, mean), [-1.0, 1.0]])
        error = float(padded.std() / np.sqrt(len(padded)))
    if count < 2 or not error > 0:
        return Equivalence(mean, None, None, margin, 1.0, False)
    freedom = count - 1
    above = 1 - float(stdtr(freedom, (mean + margin) / error))
    below = float(stdtr(freedom, (mean - margin) / error))
    half = -float(stdtrit(freedom, alpha)) * error
    p_value = max(above, below)
    return Equivalence(mean, mean - half, mean + half, margin, p_value, p_value < alpha)
