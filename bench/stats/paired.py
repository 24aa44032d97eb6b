"""Tests and intervals for two systems on the same samples, and the correction for many of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import bdtr, gammaln, ndtri

from bench.stats.intervals import Interval, cluster_bootstrap, percent
from bench.stats.resampling import BLOCKS_KEPT, CELLS_PER_BLOCK, cluster_ids


@dataclass(frozen=True)
class PairedTest:
    """A two-sided p value and how it was found."""

    p_value: float
    method: str


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided exact p value of McNemar's test, from the two discordant counts; 1 without any discordant pair."""
    if b < 0 or c < 0:
        raise ValueError(f"mcnemar_exact({b}, {c}): counts cannot be negative")
    return min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))


def bonett_price(b: int, c: int, n: int, level: float = 0.95) -> Interval:
    """Difference (b − c)/n of two paired shares, with Bonett and Price's adjusted Wald interval (2012).

    ``b``: pairs only the first got right, ``c``: only the second, ``n``: all pairs. Adding one pair to each
    discordant cell keeps the interval from collapsing where no pair is discordant.
    """
    if n < 1 or b < 0 or c < 0 or b + c > n:
        raise ValueError(f"bonett_price({b}, {c}, {n}): needs n >= 1 and discordant counts within n")
    first, second = (b + 1) / (n + 2), (c + 1) / (n + 2)
    centre = first - second
    half = float(ndtri(0.5 + level / 2)) * float(np.sqrt((first + second - centre**2) / (n + 2)))
    difference = (b - c) / n
    low, high = max(-1.0, min(difference, centre - half)), min(1.0, max(difference, centre + half))
    return Interval(difference, low, high, f"Bonett-Price, {percent(level)}")


def sign_flip_permutation(
    differences: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable] | None = None,
    repeats: int = 10_000,
    seed: int = 0,
) -> PairedTest:
    """Two-sided test of no difference: under it, the sign of a whole cluster's differences is arbitrary.

    The statistic is the absolute sum of the differences. Its distribution over all sign patterns is computed
    exactly where cluster sums are whole numbers (paired 0/1 outcomes; with clusters of one this *is* McNemar's
    exact test) or where there are no more than ``repeats`` patterns; otherwise ``repeats`` patterns are drawn, and
    the observed one is counted among them, so that p is never 0 (Phipson and Smyth 2010).
    """
    array = np.asarray(differences, dtype=float)
    if array.size == 0:
        raise ValueError("sign_flip_permutation: no differences")
    ids = np.arange(len(array)) if clusters is None else cluster_ids(clusters)
    sums = np.bincount(ids, array)
    scale = float(np.abs(sums).sum())
    if scale == 0:
        return PairedTest(1.0, "cluster sign flips, exact")
    whole = np.abs(np.rint(sums))
    if np.allclose(np.abs(sums), whole, rtol=0, atol=1e-9) and whole.sum() <= 20_000:
        return PairedTest(_whole_sums(whole.astype(int), round(abs(float(sums.sum())))), "cluster sign flips, exact")
    # Patterns that equal the observed one but for rounding count as equal.
    observed = abs(float(sums.sum())) - 1e-9 * scale
    if len(sums) < 31 and 2 ** len(sums) <= repeats:
        patterns = (np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1
        flipped = np.abs((2 * patterns - 1) @ sums)
        return PairedTest(float(np.mean(flipped >= observed)), "cluster sign flips, exact")
    extreme = int(np.sum(np.abs(_flipped_sums(sums, repeats, seed)) >= observed))
    return PairedTest((extreme + 1) / (repeats + 1), f"cluster sign flips, {repeats} drawn")


def _whole_sums(sizes: np.ndarray, observed: int) -> float:
    """P(|Σ ±size| >= observed) over fair signs: the clusters of one size are binomial, and sizes are convolved."""
    chance: np.ndarray = np.ones(1)
    reach = 0
    for size, count in zip(*np.unique(sizes[sizes > 0], return_counts=True), strict=True):
        spread = np.zeros(2 * size * count + 1)
        heads = np.arange(count + 1)
        logs = gammaln(count + 1) - gammaln(heads + 1) - gammaln(count - heads + 1) - count * np.log(2)
        spread[:: 2 * size] = np.exp(logs)
        chance, reach = np.convolve(chance, spread), reach + int(size * count)
    extreme = np.abs(np.arange(-reach, reach + 1)) >= observed
    return float(min(1.0, chance[extreme].sum()))


def _flipped_sums(sums: np.ndarray, repeats: int, seed: int) -> np.ndarray:
    """Σ ±sum for ``repeats`` patterns of fair signs."""
    rows = max(1, CELLS_PER_BLOCK // len(sums))
    blocks = (_signs(len(sums), min(rows, repeats - at), seed, at) for at in range(0, repeats, rows))
    return np.concatenate([block.astype(float) @ sums for block in blocks])


@lru_cache(maxsize=BLOCKS_KEPT)
def _signs(clusters: int, repeats: int, seed: int, block: int) -> np.ndarray:
    """Fair ±1, shape (repeats, clusters)."""
    heads = np.random.default_rng([seed, clusters, block]).integers(0, 2, size=(repeats, clusters))
    return (2 * heads - 1).astype(np.int8)


def paired_cluster_bootstrap(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """Mean of first − second on the same samples, with ``cluster_bootstrap``'s interval."""
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != two.shape:
        raise ValueError(f"paired_cluster_bootstrap: {len(one)} values against {len(two)}")
    return cluster_bootstrap(one - two, clusters, level, repeats, seed, bounds)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values (Holm 1979), in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted, running = [0.0] * len(order), 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * float(p_values[index])))
        adjusted[int(index)] = running
    return adjusted
