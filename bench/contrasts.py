"""Contrasts between systems on aligned tables, with their intervals and tests (see ``bench.aggregate``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.stats.intervals import Interval, unvaried_interval
from bench.stats.paired import PairedTest, sign_flip_permutation
from bench.stats.resampling import (
    CELLS_PER_BLOCK,
    Stratum,
    cluster_ids,
    cluster_totals,
    expanded_percentile,
    resample,
)
from bench.tables import Table

NO_SPREAD = "no interval: the values show no spread, and no bounds are known"
LARGEST_SCALE = 10**6
"""Beyond it the exact test of whole numbers would take too long anyway."""


@dataclass(frozen=True)
class Contrast:
    """A contrast of systems, averaged over tasks, with its interval."""

    tables: tuple[Table, ...]
    coefficients: tuple[float, ...]
    interval: Interval
    strata: tuple[Stratum, ...]
    """Its resampled parts, one for each of ``stratified(tables)``."""

    @property
    def estimate(self) -> float:
        return self.interval.estimate

    @property
    def low(self) -> float | None:
        return self.interval.low

    @property
    def high(self) -> float | None:
        return self.interval.high

    @property
    def method(self) -> str:
        return self.interval.method

    @property
    def n(self) -> int:
        """Rows behind it, over all tasks."""
        return sum(table.n for table in self.tables)

    def exchange_test(self, repeats: int, seed: int) -> PairedTest:
        """p value of no difference between two systems: the answers of a whole cluster change places."""
        if all(table.is_mean for table in self.tables):
            influence = np.concatenate(
                [table.differences() / (len(self.tables) * table.weight) for table in self.tables]
            )
            clusters = [name for table in self.tables for name in table.clusters]
            return sign_flip_permutation(influence * self._whole(), clusters, repeats, seed)
        return _exchange(self.tables, repeats, seed)

    def _whole(self) -> int:
        """Scaled so, the shares of 0/1 values are whole numbers, for which the test is exact."""
        if not all(table.weight.is_integer() for table in self.tables):
            return 1
        common = len(self.tables) * math.lcm(*(int(table.weight) for table in self.tables))
        return common if common <= LARGEST_SCALE else 1


def contrast(tables: Sequence[Table], coefficients: Sequence[float], level: float, repeats: int, seed: int) -> Contrast:
    """Σ coefficient · measure of a system, averaged over tasks, with a cluster bootstrap stratified by task.

    Tasks that share clusters form one stratum, so that a cluster stays whole. A resample in which a task got no row at
    all (or its measure is undefined) takes the task's observed value.
    """
    weights = tuple(coefficients)
    observed = [
        float(table.statistic(np.concatenate([one.sum(axis=0) for one in table.columns]), weights)) for table in tables
    ]
    estimate = float(np.mean(observed))
    strata = []
    for stream, group in enumerate(stratified(tables)):
        members = [tables[at] for at in group]
        ids = cluster_ids([name for table in members for name in table.clusters])
        starts = np.cumsum([0, *(table.n for table in members)])
        width = [sum(one.shape[1] for one in table.columns) for table in members]
        totals = np.zeros((int(ids.max()) + 1, sum(width)))
        edges = np.cumsum([0, *width])
        for at, table in enumerate(members):
            own = ids[starts[at] : starts[at + 1]]
            np.add.at(totals[:, edges[at] : edges[at + 1]], own, np.hstack(table.columns))
        drawn = resample(totals, repeats, seed, stream)
        share = np.zeros(repeats)
        for at, table in enumerate(members):
            values = table.statistic(drawn[:, edges[at] : edges[at + 1]], weights)
            share += np.where(np.isnan(values), observed[group[at]], values) / len(tables)
        strata.append(Stratum(share, len(totals), len(members) / len(tables)))
    interval = _interval(tables, weights, estimate, strata, level, repeats)
    return Contrast(tuple(tables), weights, interval, tuple(strata))


def _interval(
    tables: Sequence[Table],
    coefficients: tuple[float, ...],
    estimate: float,
    strata: Sequence[Stratum],
    level: float,
    repeats: int,
) -> Interval:
    """The expanded percentile interval, or what stands for it where resampling shows no spread."""
    bounded = all(table.bounds is not None for table in tables)
    least, most = tables[0].bounds or (-math.inf, math.inf)
    low, high = (sum(pick(one * least, one * most) for one in coefficients) for pick in (min, max))
    spread = [one.clusters > 1 and float(np.ptp(one.statistics)) > 1e-12 for one in strata]
    varied = [one for one, some in zip(strata, spread, strict=True) if some]
    unvaried = [one for one, some in zip(strata, spread, strict=True) if not some]
    if bounded and not varied:
        # This many clusters in one stratum would tell as much as these do together.
        effective = 1 / sum(stratum.weight**2 / stratum.clusters for stratum in strata)
        return unvaried_interval(min(high, max(low, estimate)), effective, level, (low, high))
    if not bounded and any(stratum.clusters < 2 for stratum in strata):
        return Interval(estimate, None, None, "no interval: a task has a single cluster")
    if not varied:
        return Interval(estimate, None, None, NO_SPREAD)
    ends = expanded_percentile(varied if bounded else strata, level)
    assert ends is not None
    if bounded and unvaried:
        ends = _widened(estimate, ends, varied, unvaried, level, (low, high))
    shared = any(not table.independent for table in tables)
    name = "cluster bootstrap" if shared else "bootstrap"
    strata_note = ", stratified by task" if len(tables) > 1 else ""
    method = f"{name}{strata_note}, expanded percentile, {100 * level:g} %, {repeats} resamples"
    return Interval(estimate, *ends, method)


def _widened(
    estimate: float,
    ends: tuple[float, float],
    varied: Sequence[Stratum],
    unvaried: Sequence[Stratum],
    level: float,
    bounds: tuple[float, float],
) -> tuple[float, float]:
    """Adds what strata without spread leave open: 0 of 100 seen does not mean that there is none.

    Each has ``unvaried_interval``; the distances of independent parts' ends add as squares (MOVER: Zou and Donner
    2008).
    """
    known = estimate - sum(float(one.statistics[0]) for one in unvaried)
    below, above = (known - ends[0]) ** 2, (ends[1] - known) ** 2
    for one in unvaried:
        value = min(bounds[1], max(bounds[0], float(one.statistics[0]) / one.weight))
        alone = unvaried_interval(value, one.clusters, level, bounds)
        assert alone.low is not None
        assert alone.high is not None
        below += (one.weight * (value - alone.low)) ** 2
        above += (one.weight * (alone.high - value)) ** 2
    return max(bounds[0], estimate - math.sqrt(below)), min(bounds[1], estimate + math.sqrt(above))


def stratified(tables: Sequence[Table]) -> list[list[int]]:
    """Indices of tables, together where they share a cluster, directly or through others."""
    groups: list[tuple[set[str], list[int]]] = []
    for at, table in enumerate(tables):
        names, members = set(table.clusters), [at]
        apart = []
        for other, indices in groups:
            if other & names:
                names |= other
                members = indices + members
            else:
                apart.append((other, indices))
        groups = [*apart, (names, sorted(members))]
    return [members for _, members in sorted(groups, key=lambda group: group[1])]


def _exchange(tables: Sequence[Table], repeats: int, seed: int) -> PairedTest:
    """Permutation test for measures that are no means: clusters of answers change places between the two systems."""
    ids = cluster_ids([name for table in tables for name in table.clusters])
    clusters = int(ids.max()) + 1
    starts = np.cumsum([0, *(table.n for table in tables)])
    edges = np.cumsum([0, *(table.columns[0].shape[1] for table in tables)])
    moved = np.zeros((clusters, int(edges[-1])))
    for at, table in enumerate(tables):
        own = ids[starts[at] : starts[at + 1]]
        first, second = table.columns
        moved[: int(own.max()) + 1, edges[at] : edges[at + 1]] = cluster_totals(second - first, own)
    generator = np.random.default_rng([seed, clusters])
    rows = max(1, CELLS_PER_BLOCK // clusters)
    swaps = (generator.integers(0, 2, size=(min(rows, repeats - done), clusters)) for done in range(0, repeats, rows))
    changes = np.concatenate([swap.astype(float) @ moved for swap in swaps])
    drawn, observed = np.zeros(repeats), 0.0
    for at, table in enumerate(tables):
        change = changes[:, edges[at] : edges[at + 1]]
        one, two = (column.sum(axis=0) for column in table.columns)
        observed += float(table.fold(one) - table.fold(two))
        drawn += np.nan_to_num(table.fold(one + change) - table.fold(two - change))
    extreme = int(np.sum(np.abs(drawn) >= abs(observed) - 1e-12))
    return PairedTest((extreme + 1) / (repeats + 1), f"exchange of clusters, {repeats} drawn")
