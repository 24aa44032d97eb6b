"""What a sweep costs a job: a run on the stub engine through a local Slurm, minus the same run without."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.sweeping.attempts import read_attempts
from tests.benchmarks.record import Figure, show
from tests.calling import environment, small
from tests.slurm.cluster import Cluster, running
from tests.tiny import write_model

REPEATS = 3


def bench(*arguments: str, **further: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        env={**environment(), **further},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def through_slurm(cluster: Cluster, place: Path, settings: list[str]) -> tuple[float, float]:
    """Seconds until ``submit`` returned, and until the job's process had ended and that was written down."""
    begun = time.perf_counter()
    bench("sweep", "submit", *settings, f"sweep_dir={place}", f"builds_dir={place}/builds", **cluster.environment)
    submitted = time.perf_counter() - begun
    while not any(attempt.outcome for attempt in read_attempts(place / "jobs/000")):
        assert time.perf_counter() - begun < 300
        time.sleep(0.02)
    return submitted, time.perf_counter() - begun


def alone(place: Path, settings: list[str]) -> float:
    """Seconds of the same run as one would start it by hand."""
    begun = time.perf_counter()
    bench("run", *settings, f"run_dir={place}", f"builds_dir={place}/builds")
    return time.perf_counter() - begun


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="knowhow-benchmark-") as folder, running() as cluster:
        root = Path(folder)
        settings = small(Path(write_model(root / "model", weights=True).path))
        os.chdir(root)
        pairs = [  # in turn: what else the machine does weighs on both alike
            (*through_slurm(cluster, root / f"slurm-{repeat}", settings), alone(root / f"alone-{repeat}", settings))
            for repeat in range(REPEATS)
        ]
    submits, totals, singles = zip(*pairs, strict=True)
    differences = [total - single for total, single in zip(totals, singles, strict=True)]
    show(
        "sweep_overhead",
        REPEATS,
        [
            Figure("through Slurm - without", statistics.median(differences), "s", "< 5"),
            Figure("submit returns after", statistics.median(submits), "s"),
            Figure("the run without", statistics.median(singles), "s"),
        ],
    )


if __name__ == "__main__":
    main()
