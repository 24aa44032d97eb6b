"""Runs ``bench`` so that it dies at chosen moments: each kills once, whoever of many jobs reaches it first.

    python -m tests.moments PLACE MOMENT=HOW ... -- python -m bench run ...

HOW: ``kill`` (SIGKILL), ``parent`` (SIGKILL, also to the process that watches over the run), ``preempt`` (waits until
the function of that name has had Slurm announce that the job's place is taken). PLACE gets a file for each moment that
was hit, which says who was, a line for each training step in ``steps``, and ``waited`` once a job waits for another's
build: "build between write and rename" comes no sooner, so that one does wait, however slowly they start.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

MOMENTS = ("build", "build between write and rename", "training", "generation", "scoring", "between write and rename")


def signalled(place: Path, moment: str) -> Path:
    """Stands there once the job that waits at a moment was signalled."""
    return place / f"{moment}: signalled"


def preempt(place: Path) -> None:
    """Have Slurm signal the jobs that wait for it. From outside: it signals every process of a job."""
    for moment in MOMENTS:
        told = (place / moment).read_text().split() if (place / moment).exists() else []
        if told and told[0] == "preempt" and not signalled(place, moment).exists():
            with suppress(subprocess.TimeoutExpired):
                # Slurm 22.05 delivers it and says "try again later" for a task of an array: scancel would, every 5 s.
                subprocess.run(["scancel", "--quiet", "--signal=USR2", told[-1]], timeout=3, check=True)
            signalled(place, moment).touch()


def until_there(file: Path) -> None:
    """Wait for it, two minutes at most."""
    deadline = time.monotonic() + 120
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


class Moments:
    """The moments that are wanted, and how each kills."""

    def __init__(self, place: Path, wanted: dict[str, str]) -> None:
        self.place, self.wanted = place, wanted
        self.calls: dict[str, int] = {}

    def reached(self, moment: str, at_call: int = 1) -> None:
        """Die, if this is the wanted call and nobody has died here yet."""
        self.calls[moment] = self.calls.get(moment, 0) + 1
        if moment not in self.wanted or self.calls[moment] < at_call:
            return
        how = self.wanted[moment]
        task, job = os.environ.get("SLURM_ARRAY_TASK_ID"), os.environ.get("SLURM_JOB_ID")
        try:
            with (self.place / moment).open("x") as file:
                file.write(f"{how} array task {task} process {os.getpid()} Slurm job {job}\n")
        except FileExistsError:
            return
        if how == "preempt":
            until_there(signalled(self.place, moment))
            return
        if moment == "build between write and rename":
            until_there(self.place / "waited")
        if how == "parent":
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Watch for the moments in this process."""
        import bench.scoring
        import systems.artifacts
        import systems.tuning.distributed
        from bench.journal import Journal
        from systems.knowledge.edge_index import EdgeIndex

        def before(owner: Any, name: str, look: Callable[..., None]) -> None:
            call = getattr(owner, name)

            @functools.wraps(call)
            def watched(*arguments: Any, **further: Any) -> Any:
                look(*arguments, **further)
                return call(*arguments, **further)

            setattr(owner, name, watched)

        def renamed(source: Any, target: Any, **_: Any) -> None:
            if Path(source).name == "product":
                self.reached("build between write and rename")
            elif Path(target).name == "summary.json":
                self.reached("between write and rename")

        def appended(journal: Journal, record: Any) -> None:
            if journal.path.name == "predictions.jsonl":
                self.reached("generation", 10)

        def warned(text: str, *_: Any) -> None:
            if text.startswith("waiting for"):
                (self.place / "waited").touch()

        before(systems.artifacts._log, "warning", warned)
        before(EdgeIndex, "upsert", lambda *_: self.reached("build"))
        before(Journal, "append", appended)
        before(bench.scoring, "scores", lambda *_: self.reached("scoring", 20))
        before(os, "rename", renamed)
        before(os, "replace", renamed)
        train = systems.tuning.distributed.train_adapter

        def training(model: Any, examples: Any, tuning: Any, out: Path, progress: Any, checkpoints: Any) -> Any:
            def told(step: int, of: int, loss: float | None) -> None:
                progress(step, of, loss)
                if loss is None:
                    return
                with (self.place / "steps").open("a") as file:
                    file.write(f"{out.parent.name.split('.')[1]} {step}\n")
                if step == 3:
                    self.reached("training")

            return train(model, examples, tuning, out, told, checkpoints)

        systems.tuning.distributed.train_adapter = training


def main() -> int:
    arguments = sys.argv[1:]
    split = arguments.index("--")
    place, *wanted = arguments[:split]
    command = arguments[split + 1 :]
    assert command[1:3] == ["-m", "bench"], command
    Moments(Path(place), dict(one.split("=", 1) for one in wanted)).install()
    from bench.__main__ import main as bench_main

    return bench_main(command[3:])


if __name__ == "__main__":
    sys.exit(main())
