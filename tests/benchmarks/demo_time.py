"""How long the demo takes from nothing, its memory, and how often it loads the weights."""

from __future__ import annotations

from tests.benchmarks.demo import fresh, run_demo
from tests.benchmarks.record import Figure, show


def main() -> None:
    demo = run_demo(fresh(), "tracker=none")
    start = demo.manifest["engine"]["start_seconds"]
    stages = [Figure(f"{name} (seconds)", value, "s") for name, value in demo.manifest["seconds"].items()]
    show(
        "demo_time",
        1,
        [
            Figure("demo without engine start", demo.seconds - start, "s", "<= 240"),
            Figure("engine start", start, "s"),
            *stages,
            Figure("peak memory, all processes", demo.peak_bytes / 2**30, "GiB", "<= 6"),
            Figure("engine processes seen", demo.engine_processes, "count", "= 1"),
            Figure("engine loads, own count", demo.manifest["engine"]["loads"], "count", "= 1"),
        ],
    )


if __name__ == "__main__":
    main()
