"""How often a run of all four systems loads the weights for its answers: as it counts itself, and from outside."""

from __future__ import annotations

from tests.benchmarks.demo import fresh, run_demo
from tests.benchmarks.record import Figure, show


def main() -> None:
    demo = run_demo(fresh(), "tracker=none", "load=none", "suite.count=20", apart=True)
    show(
        "engine_loads",
        1,
        [
            Figure("engine processes seen, without load", demo.seen.engine_processes, "count", "= 1"),
            Figure("loads, own count", demo.manifest["engine"]["loads"], "count", "= 1"),
            Figure("systems answered", len(demo.manifest["systems"]), "count", "= 4"),
        ],
    )


if __name__ == "__main__":
    main()
