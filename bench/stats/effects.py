"""The 2 × 2 grid: what retrieval adds, what tuning adds, and whether the two add up."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.stats.intervals import Interval, cluster_bootstrap

GRID = ("prompt", "rag", "finetuned", "hybrid")
"""The order of the coefficients below."""

CONTRASTS: dict[str, tuple[float, float, float, float]] = {
    "retrieval": (-0.5, 0.5, -0.5, 0.5),
    "tuning": (-0.5, -0.5, 0.5, 0.5),
    "interaction": (1.0, -1.0, -1.0, 1.0),
}


@dataclass(frozen=True)
class Effects:
    """Differences of probabilities (or of means), each with its interval."""

    retrieval: Interval
    """Mean gain from retrieval over both kinds of weights."""
    tuning: Interval
    """Mean gain from tuning, with and without retrieval."""
    interaction: Interval
    """Gain from retrieval on tuned weights less its gain on base weights: below 0 the two overlap."""


def two_by_two_effects(
    prompt: Sequence[float] | np.ndarray,
    rag: Sequence[float] | np.ndarray,
    finetuned: Sequence[float] | np.ndarray,
    hybrid: Sequence[float] | np.ndarray,
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
) -> Effects:
    """Main effects and interaction from values in [0, 1] of the four systems on the same samples, in the same order.

    Every effect is a contrast per sample, so its cluster bootstrap keeps the pairing.
    """
    values = [np.asarray(column, dtype=float) for column in (prompt, rag, finetuned, hybrid)]
    if len({column.shape for column in values}) != 1:
        raise ValueError(f"two_by_two_effects: unequal lengths {[len(column) for column in values]}")
    grid = np.column_stack(values)

    def effect(name: str) -> Interval:
        weights = np.array(CONTRASTS[name])
        reach = float(weights[weights > 0].sum())
        return cluster_bootstrap(grid @ weights, clusters, level, repeats, seed, (-reach, reach))

    return Effects(effect("retrieval"), effect("tuning"), effect("interaction"))
