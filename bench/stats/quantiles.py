"""Percentiles with order-statistic intervals, and the sample floors below which there are none."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from scipy.special import bdtr, ndtri, stdtrit

from bench.stats.intervals import Interval, percent
from bench.stats.resampling import cluster_ids


def order_statistic(values: Sequence[float] | np.ndarray, q: float) -> float:
    """The sample quantile as the ⌈q·n⌉-th smallest value: a value that occurred, and safe with infinite ones."""
    ordered = np.sort(np.asarray(values, dtype=float))
    # The small term keeps 0.9 · 10 = 9.000000000000002 at rank 9.
    rank = max(1, math.ceil(q * len(ordered) - 1e-9))
    return float(ordered[rank - 1])


def quantile_interval(
    values: Sequence[float] | np.ndarray,
    q: float,
    level: float = 0.95,
    blocks: Sequence[Hashable] | None = None,
) -> Interval | None:
    """The q-quantile and an interval between two order statistics (David and Nagaraja 2003).

    Ranks come from the binomial: X(l) to X(u) with P(B(n, q) < l) <= α/2 and P(B(n, q) >= u) <= α/2. Where no
    such ranks exist there is no two-sided interval and the answer is ``None``: at 95 % below 6 samples for p50,
    36 for p90, 72 for p95, 368 for p99.

    ``blocks``: the independent repeat or stretch of time each value belongs to. Latencies under a queue are
    autocorrelated, so n is then replaced by the effective sample size of the share below the quantile
    (Woodruff 1952; Korn and Graubard 1998), never above n; a single block gives ``None``.
    """
    if not 0 < q < 1:
        raise ValueError(f"quantile {q}: must lie between 0 and 1")
    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    if n == 0:
        return None
    point = order_statistic(ordered, q)
    effective = n if blocks is None else _effective_size(np.asarray(values, dtype=float), point, q, level, blocks)
    ranks = _ranks(effective, q, level)
    if ranks is None:
        return None
    low, high = ranks
    if effective < n:
        low, high = (low - 1) * n // effective + 1, -(-high * n // effective)
    name = "order statistics" if blocks is None else "order statistics over blocks"
    return Interval(point, float(ordered[low - 1]), float(ordered[high - 1]), f"{name}, {percent(level)}")


def _ranks(n: int, q: float, level: float) -> tuple[int, int] | None:
    """1-based ranks of the two ends, or ``None`` where n is below the floor."""
    tail = (1 - level) / 2
    if n < 1:
        return None
    below = bdtr(np.arange(n + 1, dtype=float), n, q)
    # P(B < l) = below[l − 1]: the greatest l that keeps it within the tail.
    low = int(np.searchsorted(below, tail, side="right"))
    # P(B >= u) = 1 − below[u − 1]: the smallest u that keeps it within the tail.
    high = int(np.argmax(1 - below <= tail)) + 1
    return (low, high) if low >= 1 and high <= n else None


def _effective_size(values: np.ndarray, point: float, q: float, level: float, blocks: Sequence[Hashable]) -> int:
    """Sample size after clustering by block: n over the design effect, with Student's for the normal quantile."""
    n, ids = len(values), cluster_ids(blocks)
    if len(ids) != n:
        raise ValueError(f"quantile_interval: {n} values but {len(ids)} blocks")
    count = int(ids.max()) + 1
    if count < 2:
        return 0
    below = (values <= point).astype(float)
    residuals = np.bincount(ids, below - below.mean(), count)
    clustered = count / (count - 1) * float(np.sum(residuals**2)) / n**2
    design = max(1.0, clustered * n / (q * (1 - q)))
    student = float(stdtrit(count - 1, (1 - level) / 2) / ndtri((1 - level) / 2))
    return min(n, int(n / (design * student**2)))
