"""``bench doctor`` on a cluster."""

from __future__ import annotations

import pytest

from bench.checkup import slurm
from bench.checkup.base import About, State
from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slurm


def test_partitions_are_told(cluster: Cluster) -> None:
    cluster.empty()
    (row,) = slurm.look(About())
    assert (row.state, row.found) == (
        State.OK,
        "partitions main* (1 node), brief (1 node), urgent (1 node); 0 jobs in the queue",
    )
