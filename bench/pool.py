"""Scores of one or more runs, brought together where they answer the same samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from bench.metrics.base import Metric
from bench.records import Prediction, Sample, Score
from systems.base import UserError


@dataclass(frozen=True)
class Pool:
    """Everything that estimates and comparisons are made of."""

    samples: tuple[Sample, ...]
    predictions: tuple[Prediction, ...]
    scores: tuple[Score, ...]
    metrics: tuple[Metric, ...]

    @property
    def systems(self) -> list[str]:
        """In the order in which they answered."""
        return list(dict.fromkeys(prediction.system for prediction in self.predictions))

    def answered(self, system: str) -> set[tuple[str, str]]:
        """Task and id of the samples a system has answers for."""
        return {(one.task, one.sample) for one in self.predictions if one.system == system}

    def renamed(self, prefix: str) -> Pool:
        """The same with ``prefix/`` before every system's name."""

        def named(name: str) -> str:
            return f"{prefix}/{name}"

        return Pool(
            self.samples,
            tuple(dataclasses.replace(one, system=named(one.system)) for one in self.predictions),
            tuple(dataclasses.replace(one, system=named(one.system)) for one in self.scores),
            self.metrics,
        )


def merge(pools: Mapping[str, Pool]) -> Pool:
    """Several pools as one, each system named by its pool. Raises ``UserError`` where a sample is not the same."""
    if len(pools) == 1:
        return next(iter(pools.values()))
    samples: dict[tuple[str, str], tuple[str, Sample]] = {}
    for name, pool in pools.items():
        for sample in pool.samples:
            first, known = samples.setdefault((sample.task, sample.id), (name, sample))
            if _asked(known) != _asked(sample):
                raise UserError(
                    f"task {sample.task}, sample {sample.id}: {first} and {name} do not ask the same "
                    "(its question, reference, schema or rules differ); compare runs of one suite"
                )
    parts = [pool.renamed(name) for name, pool in pools.items()]
    return Pool(
        tuple(sample for _, sample in samples.values()),
        tuple(one for part in parts for one in part.predictions),
        tuple(one for part in parts for one in part.scores),
        tuple({metric.name: metric for part in parts for metric in part.metrics}.values()),
    )


def _asked(sample: Sample) -> tuple[object, ...]:
    """What makes two samples the same question, whatever prompt it was put in."""
    right = (sample.open, sample.reference, sample.references, sample.tags.get("rules"))
    return sample.query.text, sample.query.schema, *right, sample.cluster


def check_shared(pool: Pool) -> list[str]:
    """What any two systems do not share, in words; raises ``UserError`` where two share nothing at all."""
    names = pool.systems
    if len(names) < 2:
        raise UserError(f"there is only one system ({', '.join(names)}); a comparison needs two or more")
    answered = {name: pool.answered(name) for name in names}
    notes = []
    for at, a in enumerate(names):
        for b in names[at + 1 :]:
            shared = answered[a] & answered[b]
            if not shared:
                raise UserError(
                    f"{a} and {b} share no sample: paired comparison is impossible; compare runs of one suite"
                )
            if left_out := len(answered[a] ^ answered[b]):
                notes.append(
                    f"{a} and {b}: {len(shared)} samples shared, {left_out} that only one answered are left out"
                )
    return notes
