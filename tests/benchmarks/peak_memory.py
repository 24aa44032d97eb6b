"""Memory of the demo: the largest sum over all its processes, seen twice a second."""

from __future__ import annotations

from tests.benchmarks.demo import fresh, run_demo
from tests.benchmarks.record import Figure, show


def main() -> None:
    demo = run_demo(fresh())
    show(
        "peak_memory",
        1,
        [Figure("peak memory, all processes", demo.seen.peak_bytes / 2**30, "GiB", "< 6")],
    )


if __name__ == "__main__":
    main()
