"""10,000 resamples for every pair of four systems on 10,000 samples: interval and test, by ``bench.aggregate``."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.aggregate import comparisons, effects
from bench.metrics.declared import metric
from bench.records import Prediction, Sample, Score
from bench.stats.effects import GRID
from systems.base import Query
from tests.benchmarks.record import Figure, show
from tests.benchmarks.stored_run import clusters

REPEATS = 3
SAMPLES, RESAMPLES = 10_000, 10_000
MEASURE = "token_f1"
"""Has values between 0 and 1: no closed form would do, clusters or not."""
PER_CLUSTER = 4

Scored = tuple[list[Sample], list[Prediction], list[Score]]


def scored(per_cluster: int) -> Scored:
    """Scores that share the difficulty of their cluster, a little higher from system to system."""
    rng = random.Random("bootstrap")
    ease = [rng.random() for _ in range(-(-SAMPLES // per_cluster))]
    samples = [
        Sample(id=str(at), task="facts", query=Query(text=""), reference="", cluster=str(at // per_cluster))
        for at in range(SAMPLES)
    ]
    predictions, scores = [], []
    for number, system in enumerate(GRID):
        for at, sample in enumerate(samples):
            predictions.append(Prediction(system=system, task=sample.task, sample=sample.id))
            value = min(1.0, ease[at // per_cluster] * rng.random() + 0.01 * number)
            scores.append(Score(system=system, task="facts", sample=sample.id, repeat=0, metric=MEASURE, value=value))
    return samples, predictions, scores


def seconds(work: Callable[..., Any], data: Scored, **settings: Any) -> float:
    """Median time; a seed of its own for each repeat, since draws of a seed are kept."""
    times = []
    for seed in range(REPEATS):
        started = time.perf_counter()
        found = work(*data, [metric(MEASURE)], repeats=RESAMPLES, seed=seed, **settings)
        times.append(time.perf_counter() - started)
        assert f"{RESAMPLES} resamples" in str(found)
    return statistics.median(times)


def main() -> None:
    shared, own = scored(PER_CLUSTER), scored(1)
    show(
        "bootstrap_time",
        REPEATS,
        [
            Figure("all pairs, clusters of 4", seconds(comparisons, shared, tokens=False), "s", "< 10"),
            Figure("all pairs, clusters of 1", seconds(comparisons, own, tokens=False), "s", "< 10"),
            Figure("2 x 2 effects, clusters of 4", seconds(effects, shared), "s", "< 10"),
            Figure("2 x 2 effects, clusters of 1", seconds(effects, own), "s", "< 10"),
            Figure("samples", SAMPLES, "count", "= 10000"),
            Figure("clusters of 4", clusters(shared[0]), "count"),
            Figure("clusters of 1", clusters(own[0]), "count"),
            Figure("systems", len(GRID), "count", "= 4"),
            Figure("resamples", RESAMPLES, "count", "= 10000"),
        ],
    )


if __name__ == "__main__":
    main()
