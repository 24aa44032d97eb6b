"""Agreement of two raters beyond chance (Cohen 1960)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from bench.stats.intervals import Interval, percent
from bench.stats.resampling import Stratum, cluster_ids, cluster_totals, expanded_percentile, resample


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
) -> Interval:
    """Cohen's kappa, with a bootstrap interval over clusters.

    The ends are ``None`` for a single cluster, and for two raters that always agree or say one thing only: resampling
    shows no spread there. Raises ``ValueError`` without ratings, for lists of different lengths, and where both raters
    gave one and the same label throughout: chance would agree as well, so kappa is not defined.
    """
    if not first or len(first) != len(second):
        raise ValueError(f"cohen_kappa: {len(first)} and {len(second)} ratings; as many of each are needed")
    labels = {label: number for number, label in enumerate(dict.fromkeys((*first, *second)))}
    if len(labels) == 1:
        raise ValueError("cohen_kappa: both raters gave one label throughout, so agreement beyond chance is undefined")
    size = len(labels)
    cells = np.zeros((len(first), size * size))
    cells[np.arange(len(first)), [labels[a] * size + labels[b] for a, b in zip(first, second, strict=True)]] = 1
    ids = np.arange(len(first)) if clusters is None else cluster_ids(clusters)
    totals = cluster_totals(cells, ids)
    estimate = float(kappa_fold(totals.sum(axis=0)))
    drawn = kappa_fold(resample(totals, repeats, seed))
    drawn = drawn[np.isfinite(drawn)]
    ends = expanded_percentile([Stratum(drawn, len(totals))], level) if len(drawn) else None
    if ends is None or ends[0] == ends[1]:
        return Interval(estimate, None, None, "no interval: resampling shows no spread")
    return Interval(estimate, *ends, f"bootstrap, expanded percentile, {percent(level)}, {repeats} resamples")


def kappa_fold(totals: np.ndarray) -> np.ndarray:
    """Kappa of flattened square tables of counts, shape (..., labels²) to (...); NaN where it is undefined."""
    size = round(totals.shape[-1] ** 0.5)
    table = totals.reshape(*totals.shape[:-1], size, size)
    table = table / table.sum(axis=(-2, -1), keepdims=True)
    observed = np.trace(table, axis1=-2, axis2=-1)
    expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (observed - expected) / (1 - expected)
