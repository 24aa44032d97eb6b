"""A finished run asked for again: no engine, at once."""

from __future__ import annotations

import statistics

from tests.benchmarks.demo import fresh, run_demo
from tests.benchmarks.record import Figure, show


def main() -> None:
    root = fresh()
    first = run_demo(root, "tracker=none", "suite.count=20")
    again = [run_demo(root, "tracker=none", "suite.count=20") for _ in range(3)]
    seconds = statistics.median(run.seen.seconds for run in again)
    show(
        "cached_rerun",
        len(again),
        [
            Figure("again", seconds, "s", "<= 5"),
            Figure("engine processes seen", max(run.seen.engine_processes for run in again), "count", "= 0"),
            Figure("again / first", seconds / first.seen.seconds, "ratio"),
        ],
    )


if __name__ == "__main__":
    main()
