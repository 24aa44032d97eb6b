"""Shares of answers with their intervals, for tables that stand beside the run's measures."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bench.records import Estimate, Sample
from bench.stats import cluster_bootstrap, wilson


def share(values: Sequence[bool], clusters: Sequence[Hashable]) -> Estimate:
    """Wilson's interval where no two values share a cluster, else the cluster bootstrap's."""
    if not values:
        return Estimate(estimate=None, low=None, high=None, n=0, unit="share", reason="there are no such answers")
    if len(set(clusters)) == len(clusters):
        found = wilson(sum(values), len(values))
    else:
        found = cluster_bootstrap([float(value) for value in values], clusters, bounds=(0.0, 1.0))
    return Estimate(
        estimate=found.estimate, low=found.low, high=found.high, n=len(values), unit="share", method=found.method
    )


def cluster(sample: Sample) -> str:
    """What an answer shares with others: the sample's cluster, or the sample itself, which its repeats share."""
    return sample.cluster or f"\0{sample.task}\0{sample.id}"
