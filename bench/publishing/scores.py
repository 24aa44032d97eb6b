"""Per-sample scores as they are published: numbers and ids, no text; several seeds as repeats of the same samples."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.metrics.base import Metric
from bench.metrics.fold import FoldMetric
from bench.pool import Pool
from bench.records import Prediction, Sample, Score
from systems.base import Query, UserError

FILE = "scores.csv.gz"
NAMED = ("seed", "system", "task", "sample", "cluster", "repeat")
REPEATS = 1000
"""Repeats of one seed at most: repeat ``r`` of the seed at place ``s`` is repeat ``1000 s + r`` of the pool."""


def pooled(pools: Mapping[int, Pool], seeds: Sequence[int]) -> Pool:
    """Runs of several seeds as one: what another seed gives is another repeat. ``seeds`` says which place each has."""
    predictions: list[Prediction] = []
    scores: list[Score] = []
    for seed, pool in pools.items():
        first = REPEATS * list(seeds).index(seed)
        predictions += [replace(one, repeat=first + one.repeat) for one in pool.predictions]
        scores += [replace(one, repeat=first + one.repeat) for one in pool.scores]
    samples, metrics = next((pool.samples, pool.metrics) for pool in pools.values())
    return Pool(samples, tuple(predictions), tuple(scores), metrics)


def of_seeds(pool: Pool, places: set[int]) -> Pool:
    """The part of a pool that belongs to the seeds at these places."""

    def kept(one: Prediction | Score) -> bool:
        return one.repeat // REPEATS in places

    return replace(pool, predictions=tuple(filter(kept, pool.predictions)), scores=tuple(filter(kept, pool.scores)))


def means(metrics: Iterable[Metric]) -> list[Metric]:
    """Measures that are means over samples; others, as macro F1, are nothing of one sample alone."""
    return [metric for metric in metrics if not isinstance(metric, FoldMetric)]


def write_scores(path: Path, pool: Pool, seeds: Sequence[int]) -> None:
    """A line per prediction, a column per measure; byte for byte the same for the same pool."""
    names = [metric.name for metric in means(pool.metrics)]
    values: dict[tuple[str, str, str, int], dict[str, float]] = {}
    for score in pool.scores:
        row = values.setdefault((score.system, score.task, score.sample, score.repeat), {})
        if score.value is not None and score.metric in names:
            row[score.metric] = score.value
    clusters = {(sample.task, sample.id): sample.cluster for sample in pool.samples}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*NAMED, *names])
    for key in sorted(values):
        system, task, sample, repeat = key
        row = values[key]
        named = (seeds[repeat // REPEATS], system, task, sample, clusters[task, sample], repeat % REPEATS)
        writer.writerow([*named, *(f"{row[name]:.10g}" if name in row else "" for name in names)])
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def read_scores(path: Path, seeds: Sequence[int], metrics: Mapping[str, Metric]) -> Pool:
    """The published scores as a pool; samples are ids and clusters, and nothing else."""
    samples: dict[tuple[str, str], Sample] = {}
    predictions, scores = [], []
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                system, task, name = row["system"], row["task"], row["sample"]
                repeat = REPEATS * list(seeds).index(int(row["seed"])) + int(row["repeat"])
                sample = Sample(id=name, task=task, query=Query(text=""), reference=None, cluster=row["cluster"])
                samples.setdefault((task, name), sample)
                key = {"system": system, "task": task, "sample": name, "repeat": repeat}
                predictions.append(Prediction(**key))  # type: ignore[arg-type]
                for measure in metrics.keys() & row.keys():
                    if row[measure]:
                        scores.append(Score(**key, metric=measure, value=float(row[measure])))  # type: ignore[arg-type]
    except (OSError, EOFError, KeyError, ValueError, csv.Error) as error:
        raise UserError(f"{path}: not as bench publish writes it ({error})") from None
    return Pool(tuple(samples.values()), tuple(predictions), tuple(scores), tuple(metrics.values()))
