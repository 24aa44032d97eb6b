"""``bench --help``: process start to end, beside a Python that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.benchmarks.record import Figure, show


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    repeats = 15
    pairs = [
        (seconds([sys.executable, "-m", "bench", "--help"]), seconds([sys.executable, "-c", "pass"]))
        for _ in range(repeats)
    ]
    help_time, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
    show(
        "help_time",
        repeats,
        [Figure("bench --help", help_time, "s", "< 0.1"), Figure("python -c pass", bare, "s")],
    )


if __name__ == "__main__":
    main()
