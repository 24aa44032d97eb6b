"""Scores as aligned tables: the same rows for every system that is compared (see ``bench.aggregate``)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.metrics.base import UNIT_RANGE, Metric, bounds_of
from bench.metrics.fold import FoldMetric
from bench.records import Prediction, Sample, Score
from bench.stats.resampling import Fold, mean_fold

TOKENS = ("tokens_in", "tokens_out")

LARGEST_COMMON = 1000
"""Greatest common multiple of the samples' repeats that weights are scaled by."""

Row = tuple[str, int]
"""Sample id and repeat."""


@dataclass(frozen=True)
class Table:
    """One measure on one task, for some systems, on the rows they all have."""

    task: str
    columns: tuple[np.ndarray, ...]
    """Per system: shape (rows, columns)."""
    clusters: tuple[str, ...]
    fold: Fold
    bounds: tuple[float, float] | None = None
    """The least and the greatest value of the statistic; ``None``: not known."""

    @property
    def n(self) -> int:
        return len(self.clusters)

    @property
    def is_mean(self) -> bool:
        return self.fold is mean_fold

    @cached_property
    def binary(self) -> bool:
        """Whether the measure lies in 0 … 1 and all values are 0 or 1, each of the same weight."""
        known = self.is_mean and self.bounds == UNIT_RANGE
        return known and all(bool(np.isin(one, (0.0, 1.0)).all()) for one in self.columns)

    @property
    def independent(self) -> bool:
        """Whether no two rows share a cluster."""
        return len(set(self.clusters)) == len(self.clusters)

    @property
    def weight(self) -> float:
        """Sum of the rows' weights in a mean."""
        return float(self.columns[0][:, 1].sum())

    def differences(self) -> np.ndarray:
        """Weighted differences of the first system from the second, shape (rows,)."""
        return np.asarray(self.columns[0][:, 0] - self.columns[1][:, 0])

    def discordant(self) -> tuple[int, int]:
        """Rows only the first system got right, and rows only the second did."""
        differences = self.differences()
        return int(np.sum(differences > 0)), int(np.sum(differences < 0))

    def statistic(self, totals: np.ndarray, coefficients: Sequence[float]) -> np.ndarray:
        """The contrast, from the systems' column totals side by side: (..., systems · columns) to (...)."""
        parts = np.split(totals, len(self.columns), axis=-1)
        return sum(  # type: ignore[return-value]
            weight * self.fold(part) for weight, part in zip(coefficients, parts, strict=True)
        )


class Tables:
    """All scores of a run, found by measure, task and system."""

    def __init__(self, samples: Sequence[Sample], metrics: Sequence[Metric]) -> None:
        self.samples = {(sample.task, sample.id): sample for sample in samples}
        self.tasks = list(dict.fromkeys(sample.task for sample in samples))
        self.systems: list[str] = []
        self.metrics = {metric.name: metric for metric in metrics}
        self.measures = [*self.metrics, *TOKENS]
        self.values: dict[tuple[str, str, str], dict[Row, float]] = {}
        self.predictions: dict[tuple[str, str], dict[Row, Prediction]] = {}
        self.others: set[str] = set()
        """Measures with a value that is neither 0 nor 1."""
        self.order = {key: at for at, key in enumerate(self.samples)}

    @classmethod
    def of(
        cls,
        samples: Sequence[Sample],
        predictions: Sequence[Prediction],
        scores: Sequence[Score],
        metrics: Sequence[Metric],
    ) -> Tables:
        """Scores of metrics, samples and predictions that are not among those given are left out."""
        tables = cls(samples, metrics)
        for prediction in predictions:
            if (prediction.task, prediction.sample) not in tables.samples:
                continue
            row = (prediction.sample, prediction.repeat)
            tables.predictions.setdefault((prediction.task, prediction.system), {})[row] = prediction
            if prediction.error is None:
                for name in TOKENS:
                    tables._put(name, prediction.task, prediction.system, row, getattr(prediction, name))
        tables.systems = list(dict.fromkeys(prediction.system for prediction in predictions))
        for score in scores:
            row = (score.sample, score.repeat)
            known = row in tables.predictions.get((score.task, score.system), {})
            if score.value is not None and known and score.metric in tables.metrics:
                tables._put(score.metric, score.task, score.system, row, score.value)
        return tables

    def _put(self, measure: str, task: str, system: str, row: Row, value: float) -> None:
        self.values.setdefault((measure, task, system), {})[row] = float(value)
        if value not in UNIT_RANGE:
            self.others.add(measure)

    def unit(self, measure: str) -> str:
        return "tokens" if measure in TOKENS else self.metrics[measure].unit

    def scopes(self, suite: str) -> list[tuple[str, list[str]]]:
        """Each task on its own, and all together where there are several."""
        own = [(task, [task]) for task in self.tasks]
        return [*own, (suite, self.tasks)] if len(self.tasks) > 1 else own

    def bounds(self, measure: str) -> tuple[float, float] | None:
        """The least and the greatest value possible.

        What the metric declares. One that declares nothing lies in 0 … 1 where every value in every task is 0 or 1
        (right or wrong), and is unbounded otherwise; numbers alone never tell more. Token counts are unbounded.
        """
        if measure in TOKENS:
            return None
        metric = self.metrics[measure]
        declared = UNIT_RANGE if isinstance(metric, FoldMetric) else bounds_of(metric)
        return declared or (UNIT_RANGE if measure not in self.others else None)

    def rows(self, measure: str, task: str, systems: Sequence[str]) -> list[Row]:
        """Rows for which every one of the systems has a value, in the order of the samples."""
        found = [self.values.get((measure, task, system), {}) for system in systems]
        shared = set(found[0]).intersection(*found[1:])
        return sorted(shared, key=lambda row: (self.order[task, row[0]], row[1]))

    def aligned(self, measure: str, tasks: Sequence[str], systems: Sequence[str]) -> list[Table]:
        """A table per task in which the measure applies to all these systems."""
        tables = []
        for task in tasks:
            rows = self.rows(measure, task, systems)
            if rows:
                clusters = tuple(self._cluster(task, name) for name, _ in rows)
                tables.append(self._table(measure, task, systems, rows, clusters))
        return tables

    def _table(
        self, measure: str, task: str, systems: Sequence[str], rows: Sequence[Row], clusters: tuple[str, ...]
    ) -> Table:
        metric = self.metrics.get(measure)
        bounds = self.bounds(measure)
        weights = np.ones(len(rows)) if measure in TOKENS else self._weights(task, systems, rows)
        if isinstance(metric, FoldMetric):
            samples = [self.samples[task, name] for name, _ in rows]
            counts = tuple(
                weights[:, None] * metric.counts(samples, [self.predictions[task, system][row] for row in rows])
                for system in systems
            )
            return Table(task, counts, clusters, metric.fold, bounds)
        columns = []
        for system in systems:
            values = np.array([self.values[measure, task, system][row] for row in rows])
            columns.append(np.column_stack([weights * values, weights]))
        return Table(task, tuple(columns), clusters, mean_fold, bounds)

    def _weights(self, task: str, systems: Sequence[str], rows: Sequence[Row]) -> np.ndarray:
        """One over how often all these systems were asked the row's sample, so that every sample weighs the same.

        As whole numbers where they are small, for which permutation tests are exact.
        """
        asked = set(self.predictions[task, systems[0]]).intersection(
            *(self.predictions[task, system] for system in systems)
        )
        times = Counter(name for name, _ in asked)
        common = math.lcm(*set(times.values()))
        return (common if common <= LARGEST_COMMON else 1) / np.array([times[name] for name, _ in rows])

    def _cluster(self, task: str, name: str) -> str:
        """What the sample shares with others; its own name, which repeats share, where it shares nothing."""
        return self.samples[task, name].cluster or f"\0{task}\0{name}"
