"""The bootstrap's machinery: clusters are drawn with replacement, and every statistic is a fold of column totals.

A mean is the fold ``sum / count``; macro F1 is a fold of per-class counts. Because only totals per cluster are
needed, one resample is one row of a matrix product, and all measures of all systems share the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, stdtrit

Fold = Callable[[np.ndarray], np.ndarray]
"""Column totals, shape (..., columns), to a statistic, shape (...). May give NaN where it is undefined."""

CELLS_PER_BLOCK = 4_000_000
"""Draws multiplied at once: 32 MB as numbers, 4 MB as they are kept."""
BLOCKS_KEPT = 32
"""Enough for 10,000 resamples of 12,000 clusters: all contrasts on the same clusters share their draws."""


def mean_fold(totals: np.ndarray) -> np.ndarray:
    """The mean, from columns (sum, count)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return totals[..., 0] / totals[..., 1]


def cluster_ids(clusters: Sequence[Hashable] | np.ndarray) -> np.ndarray:
    """Numbers 0 … k−1 for cluster names, in order of first appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in clusters], dtype=np.intp)


def cluster_totals(columns: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Column sums per cluster: (rows, columns) and (rows,) to (clusters, columns)."""
    count = int(ids.max()) + 1 if len(ids) else 0
    totals = np.zeros((count, columns.shape[1]))
    np.add.at(totals, ids, columns)
    return totals


def resample(totals: np.ndarray, repeats: int, seed: int, stream: int = 0) -> np.ndarray:
    """Column totals of ``repeats`` resamples of the clusters: (clusters, columns) to (repeats, columns).

    The same ``seed`` and ``stream`` give the same draws for the same number of clusters, so that measures and systems
    share them. Strata that are added up must differ in ``stream``, or their errors would rise and fall together.
    """
    return np.concatenate([block.astype(float) @ totals for block in draws(len(totals), repeats, seed, stream)])


def draws(clusters: int, repeats: int, seed: int, stream: int = 0) -> Iterator[np.ndarray]:
    """How often each cluster was drawn, in blocks of resamples: shape (resamples of the block, clusters)."""
    rows = max(1, CELLS_PER_BLOCK // clusters)
    for at in range(0, repeats, rows):
        yield _draws(clusters, min(rows, repeats - at), seed, stream, at)


@lru_cache(maxsize=BLOCKS_KEPT)
def _draws(clusters: int, repeats: int, seed: int, stream: int, block: int) -> np.ndarray:
    """How often each cluster was drawn in each resample: (repeats, clusters), rows sum to ``clusters``."""
    generator = np.random.default_rng([seed, stream, clusters, block])
    drawn = generator.integers(0, clusters, size=(repeats, clusters))
    drawn += np.arange(repeats)[:, None] * clusters
    counts = np.bincount(drawn.ravel(), minlength=repeats * clusters)
    # A byte is enough: of up to 255 clusters none can be drawn more often than that, and of more none ever is.
    return counts.reshape(repeats, clusters).astype(np.uint8)


@dataclass(frozen=True)
class Stratum:
    """The resampled share of one stratum in a statistic, and how many clusters it was drawn from."""

    statistics: np.ndarray
    """Shape (repeats,)."""
    clusters: int
    weight: float = 1.0
    """Of the stratum in the statistic: the share of the tasks that are in it."""


def expanded_percentile(strata: Sequence[Stratum], level: float) -> tuple[float, float] | None:
    """Percentile interval of the summed strata, widened for small numbers of clusters.

    The plain percentile interval is too narrow by √((k−1)/k) and uses normal where Student's quantiles
    are due. Hesterberg (2015, "What Teachers Should Know about the Bootstrap") takes the percentiles
    at Φ(−√(k/(k−1)) · t(k−1)) instead. With several strata k/(k−1) is weighed by the strata's variances and the
    degrees of freedom are Satterthwaite's. ``None`` where a stratum has a single cluster: its variance is unknown.
    """
    if not strata or any(stratum.clusters < 2 for stratum in strata):
        return None
    clusters = np.array([stratum.clusters for stratum in strata], dtype=float)
    plain = np.array([np.var(stratum.statistics) for stratum in strata])
    total = np.sum([stratum.statistics for stratum in strata], axis=0)
    if plain.sum() <= 1e-18 * max(1.0, float(np.mean(total)) ** 2):
        value = float(total.mean())
        return value, value
    plain = plain / plain.max()  # so that no square overflows
    unbiased = plain * clusters / (clusters - 1)
    freedom = unbiased.sum() ** 2 / np.sum(unbiased**2 / (clusters - 1))
    inflation = np.sqrt(unbiased.sum() / plain.sum())
    tail = float(ndtr(inflation * stdtrit(freedom, (1 - level) / 2)))
    low, high = np.quantile(total, [tail, 1 - tail])
    return float(low), float(high)
