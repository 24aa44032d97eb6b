"""Intervals for shares and means of one system."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from bench.stats.resampling import Stratum, cluster_ids, cluster_totals, expanded_percentile, mean_fold, resample


@dataclass(frozen=True)
class Interval:
    """A number and its interval; the ends are ``None`` where the data cannot give one."""

    estimate: float
    low: float | None
    high: float | None
    method: str


def percent(level: float) -> str:
    """``0.95`` as ``95 %``."""
    return f"{100 * level:g} %"


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share (Wilson 1927). ``n`` may be an effective, non-integer sample size.

    Raises ``ValueError`` where there is nothing to estimate: ``n`` not above 0, or successes outside 0 … n.
    """
    if not n > 0 or not 0 <= successes <= n:
        raise ValueError(f"wilson({successes}, {n}): needs n above 0 and 0 <= successes <= n")
    z = float(ndtri(0.5 + level / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    # At 0 and n the ends are 0 and 1 exactly; floating point would leave 1e-17 there.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(share, low, high, f"Wilson, {percent(level)}")


FEWEST_REPEATS = 3
"""Below, Student's interval is too wide, or too much a matter of luck, to be worth its name."""


def student_mean(values: Sequence[float] | np.ndarray, level: float = 0.95) -> Interval:
    """Mean of independent repeats with Student's t interval (Student 1908); no ends below ``FEWEST_REPEATS``."""
    array = np.asarray(values, dtype=float)
    mean, n = float(array.mean()), len(array)
    if n < FEWEST_REPEATS:
        return Interval(mean, None, None, "no interval")
    half = float(stdtrit(n - 1, 0.5 + level / 2) * array.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, f"Student's t, {percent(level)}")


def bootstrap_mean(
    values: Sequence[float] | np.ndarray, level: float = 0.95, repeats: int = 2000, seed: int = 0
) -> Interval:
    """Mean of independent values with an expanded percentile bootstrap interval (see ``expanded_percentile``)."""
    return cluster_bootstrap(values, None, level, repeats, seed)


def cluster_bootstrap(
    values: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """Mean over all values; whole clusters are drawn with replacement, and the percentiles are expanded.

    ``clusters``: what each value's sample shares with others; ``None``: every value is on its own.
    ``bounds``: the least and the greatest value possible. With bounds, a sample without any variance gets
    ``unvaried_interval`` instead of an interval of width 0, which no finite sample supports.
    Raises ``ValueError`` without values.
    """
    array = np.asarray(values, dtype=float)
    if array.size == 0:
        raise ValueError("cluster_bootstrap: no values")
    ids = np.arange(len(array)) if clusters is None else cluster_ids(clusters)
    if len(ids) != len(array):
        raise ValueError(f"cluster_bootstrap: {len(array)} values but {len(ids)} clusters")
    totals = cluster_totals(np.column_stack([array, np.ones(len(array))]), ids)
    name = "bootstrap" if len(totals) == len(array) else "cluster bootstrap"
    mean = float(array.mean())
    if bounds is not None and np.ptp(array) == 0:
        return unvaried_interval(mean, len(totals), level, bounds)
    ends = expanded_percentile([Stratum(mean_fold(resample(totals, repeats, seed)), len(totals))], level)
    if ends is None:
        return Interval(mean, None, None, "no interval from a single cluster")
    return Interval(mean, *ends, f"{name}, expanded percentile, {percent(level)}, {repeats} resamples")


def unvaried_interval(value: float, clusters: float, level: float, bounds: tuple[float, float]) -> Interval:
    """Interval where all clusters gave the same value, so that resampling shows no spread.

    At the end of a unit range this is Wilson's interval with a cluster as one observation. Elsewhere (differences
    between systems) one observation is added at either bound and Wald's interval taken: for paired binary data
    without discordant pairs that is Bonett and Price's interval (2012).
    """
    low, high = bounds
    if value in (low, high) and high > low:
        ends = wilson(clusters if value == high else 0, clusters, level)
        assert ends.low is not None
        assert ends.high is not None
        span = high - low
        return Interval(value, low + span * ends.low, low + span * ends.high, f"Wilson on clusters, {percent(level)}")
    n = clusters + 2
    mean = (clusters * value + low + high) / n
    variance = (clusters * (value - mean) ** 2 + (low - mean) ** 2 + (high - mean) ** 2) / n
    half = float(ndtri(0.5 + level / 2) * np.sqrt(variance / n))
    return Interval(
        value,
        max(low, min(value, mean - half)),
        min(high, max(value, mean + half)),
        f"Wald with an observation added at either bound, {percent(level)}",
    )
