"""Per-sample scores as they are published: numbers and ids, no text; several seeds as repeats of the same samples."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.metrics.base import Metric
from bench.metrics.fold import FoldMetric
from bench.pool import Pool
from bench.records import Prediction, Sample, Score
from bench.scoring import metrics_of
from bench.tracking.privacy import cleared
from bench.workspace import Workspace, read_lines
from systems.base import Query, UserError

FILE = "scores.csv.gz"
KEY = ("system", "task", "sample", "repeat")
NAMED = ("seed", "system", "task", "sample", "cluster", "repeat")
REPEATS = 1000
"""Repeats of one seed at most: repeat ``r`` of the seed at place ``s`` is repeat ``1000 s + r`` of the pool."""


def read_runs(runs: Mapping[int, Workspace], seeds: Sequence[int], measures: Collection[str]) -> Pool:
    """The scores of runs by seed, as one pool: what another seed gives is another repeat.

    ``seeds`` says which place each seed has. Of ``measures`` those are kept that the runs have and that are means.
    """
    known: dict[str, Metric] = {}
    samples: dict[tuple[str, str], Sample] = {}
    predictions: dict[tuple[str, str, str, int], Prediction] = {}
    scores = []
    wanted = re.compile(f'"metric":(?:{"|".join(re.escape(json.dumps(name)) for name in measures)})').search
    for seed, workspace in runs.items():
        known |= metrics_of(workspace.run_manifest()["metrics"])
        for row in read_lines(workspace.samples):
            samples.setdefault((row["task"], row["id"]), _sample(row["task"], row["id"], row["cluster"]))
        first = REPEATS * list(seeds).index(seed)
        # Lines of other measures are most of them, and reading each alone would take most of the time.
        lines = filter(wanted, workspace.scores.read_text(encoding="utf-8").split("\n"))
        for row in json.loads(f"[{','.join(lines)}]"):
            key = (row["system"], row["task"], row["sample"], first + row["repeat"])
            if key not in predictions:
                predictions[key] = Prediction(**dict(zip(KEY, key, strict=True)))
            scores.append(Score(**dict(zip(KEY, key, strict=True)), metric=row["metric"], value=row["value"]))
    kept = [metric for metric in means(known.values()) if metric.name in measures]
    return Pool(tuple(samples.values()), tuple(predictions.values()), tuple(scores), tuple(kept))


def _sample(task: str, name: str, cluster: str) -> Sample:
    """All that counts of a sample once it is scored."""
    return Sample(id=name, task=task, query=Query(text=""), reference=None, cluster=cluster)


def of_seeds(pool: Pool, places: set[int]) -> Pool:
    """The part of a pool that belongs to the seeds at these places."""

    def kept(one: Prediction | Score) -> bool:
        return one.repeat // REPEATS in places

    return replace(pool, predictions=tuple(filter(kept, pool.predictions)), scores=tuple(filter(kept, pool.scores)))


def means(metrics: Iterable[Metric]) -> list[Metric]:
    """Measures that are means over samples; others, as macro F1, are nothing of one sample alone."""
    return [metric for metric in metrics if not isinstance(metric, FoldMetric)]


def write_scores(path: Path, pool: Pool, seeds: Sequence[int]) -> None:
    """A line per prediction, a column per measure; byte for byte the same for the same pool.

    Raises ``UserError`` where the samples are named by what may not be shown.
    """
    # An id is no text, and may look like an address (trec:12345); one that is a place has a slash.
    ids = [name for sample in pool.samples for name in (sample.id, sample.cluster) if "/" in name]
    if cleared(ids) != ids:
        raise UserError("samples are named by places of this machine; give them ids that may be shown, and run again")
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


def read_scores(path: Path, seeds: Sequence[int], metrics: Mapping[str, Metric], prefix: str = "") -> Pool:
    """The published scores as a pool, systems named with ``prefix``; samples are ids and clusters, and nothing else."""
    samples: dict[tuple[str, str], Sample] = {}
    predictions, scores = [], []
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            lines = csv.reader(file, strict=True)
            head = next(lines)
            place = {name: head.index(name) for name in (*NAMED, *(metrics.keys() & set(head)))}
            for line in lines:
                seed, system, task, name, cluster, again = (line[place[one]] for one in NAMED)
                samples.setdefault((task, name), _sample(task, name, cluster))
                repeat = REPEATS * list(seeds).index(int(seed)) + int(again)
                key: dict[str, Any] = dict(zip(KEY, (prefix + system, task, name, repeat), strict=True))
                predictions.append(Prediction(**key))
                for measure in metrics:
                    if measure in place and (value := line[place[measure]]):
                        scores.append(Score(**key, metric=measure, value=float(value)))
    except (OSError, EOFError, StopIteration, IndexError, ValueError, csv.Error) as error:
        raise UserError(f"{path}: not as bench publish writes it ({error})") from None
    return Pool(tuple(samples.values()), tuple(predictions), tuple(scores), tuple(metrics.values()))
