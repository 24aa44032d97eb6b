"""``bench score`` on a stored run of 100,000 answers, and on one of 20,000: its memory should be the same."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from bench.workspace import Workspace
from tests.benchmarks.record import Figure, show
from tests.benchmarks.stored_run import clusters, write_run
from tests.benchmarks.watched import Watched, watch

REPEATS = 3
PREDICTIONS, FEWER = 100_000, 20_000


def score(workspace: Workspace) -> Watched:
    return watch(["bench", "score", str(workspace.path)], every=0.05)


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        few, many = (write_run(Path(place) / str(size), size) for size in (FEWER, PREDICTIONS))
        small, large = [score(few) for _ in range(REPEATS)], [score(many) for _ in range(REPEATS)]
        seconds = statistics.median(one.seconds for one in large)
        least, most = (statistics.median(one.peak_bytes for one in seen) for seen in (small, large))
        samples = many.read_samples()
        metrics = many.read_manifest()["metrics"].values()
        show(
            "scoring_throughput",
            REPEATS,
            [
                Figure("time", seconds, "s", "< 60"),
                Figure("peak memory", most / 1e9, "GB", "< 2"),
                Figure("peak memory, a fifth of the answers", least / 1e9, "GB"),
                Figure("peak memory, all / a fifth", most / least, "ratio", "<= 1.05"),
                Figure("predictions", sum(1 for _ in many.predictions.open("rb")), "count", f">= {PREDICTIONS}"),
                Figure("scores", sum(1 for _ in many.scores.open("rb")), "count"),
                Figure("samples", len(samples), "count"),
                Figure("clusters", clusters(samples), "count"),
                Figure("tasks", len(metrics), "count"),
                Figure("metrics", len({name for names in metrics for name in names}), "count"),
            ],
        )


if __name__ == "__main__":
    main()
