"""What a comparison of two systems could have found, and what it shows to be the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.contrasts import Contrast, stratified
from bench.stats.equivalence import Equivalence, unvaried_error, within_margin
from bench.stats.power import (
    DECISIVE,
    Z_LEVEL,
    Z_POWER,
    minimum_detectable_effect,
    minimum_detectable_effect_paired,
)
from bench.stats.resampling import Stratum, cluster_ids, cluster_totals
from bench.tables import Table

FEW_CLUSTERS = "so few clusters show nothing"
FEW_PAIRS = "so few pairs show nothing"


@dataclass(frozen=True)
class Detectable:
    """The smallest true difference found with 80 % power at 5 %, two-sided, or why there is none."""

    difference: float | None
    reason: str | None = None


@dataclass(frozen=True)
class Part:
    """What one stratum says of a difference of two systems."""

    tables: tuple[Table, ...]
    weight: float
    """The share of the tasks that are in it."""
    difference: float
    clusters: int
    differing: int
    """Clusters in which the two systems differ."""
    error: float
    """Cluster-robust standard error of the difference; 0 without any spread."""

    @property
    def whole(self) -> bool:
        """Whether it is a task of independent right or wrong answers."""
        return len(self.tables) == 1 and self.tables[0].binary and self.tables[0].independent


@dataclass(frozen=True)
class Error:
    """A part's share in the standard error of the whole, and its degrees of freedom."""

    size: float
    freedom: float


def detectable(found: Contrast) -> Detectable:
    """From every stratum's own sensitivity, weighed as the strata are; errors add as squares.

    No more than the largest possible difference, and nothing for fewer clusters than the test needs.
    """
    parts, span = _parts(found), _span(found.tables)
    if sum(part.clusters for part in parts) < DECISIVE:
        return Detectable(None, FEW_CLUSTERS)
    if span is None and any(part.clusters < 2 for part in parts):
        return Detectable(None, "a task has a single cluster")
    error = _combined([_sensitivity(part, span) for part in parts])
    difference = minimum_detectable_effect(error.size, error.freedom + 1)
    if difference is None:
        return Detectable(None, "the values show no spread, and no bounds are known")
    return Detectable(None, FEW_CLUSTERS) if span is not None and difference > span else Detectable(difference)


def equivalence(found: Contrast, margin: float) -> Equivalence:
    """Two one-sided tests on the comparison's own pairs, clusters and strata (see ``two_one_sided_tests``)."""
    parts, span = _parts(found), _span(found.tables)
    error = _combined([_certainty(part, span) for part in parts])
    # A part of which nothing is known leaves the whole unknown.
    size = 0.0 if any(part.clusters < 2 for part in parts) else error.size
    return within_margin(found.estimate, size, error.freedom, margin)


def _sensitivity(part: Part, span: float | None) -> Error:
    """The error that the part's detectable difference stands for.

    Right or wrong answers have that of their discordant pairs, before any difference narrows it, and no less than the
    exact test of the part alone needs. Where fewer clusters differ than any test needs, or all differ alike, the spread
    says nothing; then a cluster counts as one pair, which may differ by the whole range.
    """
    own = Error(part.weight * part.error, part.clusters - 1)
    sparse = part.error == 0 or part.differing < DECISIVE
    if span is None or not (part.whole or sparse):
        return own
    share = part.differing / part.clusters if part.whole else min(1.0, abs(part.difference) / span)
    least = minimum_detectable_effect_paired(part.clusters, share)
    size = max(math.sqrt(share / part.clusters), (1.0 if least is None else least) / (Z_LEVEL + Z_POWER))
    alone = Error(part.weight * span * size, math.inf)
    return alone if part.whole or alone.size > own.size else own


def _certainty(part: Part, span: float | None) -> Error:
    """The part's standard error, for right or wrong answers and without spread no less than ``unvaried_error``."""
    size = part.error
    if span is not None and (part.error == 0 or all(table.binary for table in part.tables)):
        size = max(size, unvaried_error(part.difference, part.clusters, span))
    return Error(part.weight * size, part.clusters - 1)


def _combined(errors: Sequence[Error]) -> Error:
    """Squares add; Satterthwaite's degrees of freedom."""
    largest = max(one.size for one in errors)
    if largest == 0:
        return Error(0.0, 0.0)
    shares = [((one.size / largest) ** 2, one.freedom) for one in errors]  # so that no power overflows
    variance = sum(share for share, _ in shares)
    doubt = sum(share**2 / freedom for share, freedom in shares if freedom > 0)
    return Error(largest * math.sqrt(variance), variance**2 / doubt if doubt else math.inf)


def _parts(found: Contrast) -> list[Part]:
    groups = stratified(found.tables)
    return [
        _part(tuple(found.tables[at] for at in group), stratum)
        for group, stratum in zip(groups, found.strata, strict=True)
    ]


def _part(tables: tuple[Table, ...], stratum: Stratum) -> Part:
    ids = cluster_ids([name for table in tables for name in table.clusters])
    starts = np.cumsum([0, *(table.n for table in tables)])
    difference, differing = 0.0, np.zeros(stratum.clusters, dtype=bool)
    influence = np.zeros(stratum.clusters)
    for at, table in enumerate(tables):
        own = ids[starts[at] : starts[at + 1]]
        first, second = (column.sum(axis=0) for column in table.columns)
        of_task = float(table.fold(first) - table.fold(second))
        difference += of_task / len(tables)
        moved = cluster_totals(table.columns[0] - table.columns[1], own)
        differing[: len(moved)] |= np.any(np.abs(moved) > 1e-12, axis=1)
        if table.is_mean:
            residuals = table.differences() - of_task * table.columns[0][:, 1]
            influence += np.bincount(own, residuals, stratum.clusters) / (table.weight * len(tables))
    k = stratum.clusters
    if all(table.is_mean for table in tables):
        variance = float(np.sum(influence**2))
    else:  # no mean: the bootstrap's variance, which lacks the same factor
        variance = float(np.var(stratum.statistics)) / stratum.weight**2
    error = math.sqrt(k / (k - 1) * variance) if k > 1 and variance > 1e-24 else 0.0
    return Part(tables, stratum.weight, difference, k, int(differing.sum()), error)


def _span(tables: Sequence[Table]) -> float | None:
    """The largest possible difference."""
    bounds = tables[0].bounds
    return None if bounds is None else bounds[1] - bounds[0]
