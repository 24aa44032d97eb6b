"""A run that W&B follows beside the same run without: offline, and online against a server on this machine.

The engine is the stub with a model's delays, so that a run takes as long as it would, on a machine that has time left.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.demo import fresh
from tests.benchmarks.record import Figure, show
from tests.benchmarks.watched import watch
from tests.calling import small
from tests.tiny import write_model
from tests.tracking.server import serving

ROUNDS = 3
SECONDS = 140
"""Of load, for each of two systems: with the answers before it a run of about five minutes."""


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    root = fresh()
    model = write_model(root / "model", weights=True)
    with serving() as server:
        ways: dict[str, tuple[str, Mapping[str, str]]] = {
            "off": ("none", {}),
            "offline": ("wandb", {"WANDB_MODE": "offline"}),
            "online": ("wandb", {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": "0" * 40, "WANDB_MODE": "online"}),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        _run(Path(model.path), root, "first", "wandb", ways["offline"][1], 1)  # builds what the others share
        for number in range(ROUNDS):
            # In turn, and the order turned each time, so that drift favours none.
            for name in list(ways)[:: -1 if number % 2 else 1]:
                took[name].append(_run(Path(model.path), root, f"{number}-{name}", *ways[name], seconds))
        points = sum(len(run.history) for run in server.runs.values())
    extra = {
        name: [on - off for on, off in zip(took[name], took["off"], strict=True)] for name in ("offline", "online")
    }
    whole = statistics.median(took["off"])
    figures = []
    for name, values in extra.items():
        figures += [
            Figure(f"{name}: share of the run", statistics.median(values) / whole, "ratio", "< 0.01"),
            Figure(f"{name}: median of the pairs", statistics.median(values), "s"),
            Figure(f"{name}: least", min(values), "s"),
            Figure(f"{name}: most", max(values), "s"),
        ]
    figures += [Figure("the run without", whole, "s"), Figure("points that the server took", points, "count", ">= 50")]
    show("tracking_overhead", ROUNDS, figures)


def _run(model: Path, root: Path, name: str, tracker: str, environment: Mapping[str, str], seconds: int) -> float:
    """Seconds of one run from its command to its end."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        own = [f"run_dir={root / name}", f"builds_dir={root / 'builds'}", f"tracker={tracker}"]
        delays = ["engine.delay_seconds=0.4", f"load.seconds={seconds}", "load.rates=[8]", "load.users=[]"]
        return watch(["bench", "run", *small(model, *own, *delays)]).seconds
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    main()
