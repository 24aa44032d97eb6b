"""A run whose answers are all there, asked for again: no engine, and what every sample takes."""

from __future__ import annotations

import statistics
from functools import partial

from tests.benchmarks.demo import DemoRun, fresh, run_demo
from tests.benchmarks.record import Figure, show

SIZES = (40, 400)
"""Samples per task of the two runs, whose difference is free of what starting takes."""
REPEATS = 3


def main() -> None:
    root = fresh()
    again: dict[int, list[DemoRun]] = {}
    anew: dict[int, list[DemoRun]] = {}
    answers = {}
    filled: list[int] = []
    for size in SIZES:
        settings = ("tracker=none", "load=none", "engine=vllm", "systems=base", f"suite.count={size}")
        place = root / str(size)
        run = partial(run_demo, place, *settings, apart=True)
        first = run()
        answers[size] = first.manifest["planned"]
        filled.append(first.seen.engine_processes)
        again[size] = [run() for _ in range(REPEATS)]
        anew[size] = []
        for _ in range(REPEATS):  # the answers are there, and nothing else counts as done
            (place / "run" / "complete").unlink()
            anew[size].append(run())
    few, many = SIZES

    def seconds(runs: list[DemoRun]) -> float:
        return statistics.median(run.seen.seconds for run in runs)

    def each(runs: dict[int, list[DemoRun]]) -> float:
        return 1000 * (seconds(runs[many]) - seconds(runs[few])) / (answers[many] - answers[few])

    seen = [one for runs in (*again.values(), *anew.values()) for one in runs]
    show(
        "cached_rerun",
        REPEATS,
        [
            Figure("finished run again", seconds(again[many]), "s", "<= 5"),
            Figure("finished run again, a sample", each(again), "ms", "<= 1"),
            Figure("scored and reported again", seconds(anew[many]), "s"),
            Figure("scored and reported again, a sample", each(anew), "ms", "<= 1"),
            Figure("engine processes seen when first run", min(filled), "count", "= 1"),
            Figure("engine processes seen", max(one.seen.engine_processes for one in seen), "count", "= 0"),
            Figure("answers", answers[many], "count"),
        ],
    )


if __name__ == "__main__":
    main()
