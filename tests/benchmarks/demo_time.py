"""How long the demo takes from nothing, and which stage takes it."""

from __future__ import annotations

from tests.benchmarks.demo import fresh, run_demo
from tests.benchmarks.record import Figure, show


def main() -> None:
    demo = run_demo(fresh())
    start = demo.manifest["engine"]["start_seconds"]
    stages = [Figure(f"until {name} (seconds)", value, "s") for name, value in demo.manifest["seconds"].items()]
    show(
        "demo_time",
        1,
        [
            Figure("demo without engine start", demo.seen.seconds - start, "s", "<= 240"),
            Figure("engine start", start, "s"),
            *stages,
        ],
    )


if __name__ == "__main__":
    main()
