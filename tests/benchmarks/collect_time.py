"""The results of 1,000 jobs in one table: every system and measure of each, from their runs' files."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from bench.sweeping.attempts import DONE, Attempt, new_attempt, write_attempt, write_submitted
from bench.sweeping.plan import Job, Sweep
from tests.benchmarks.record import Figure, show
from tests.calling import small, start
from tests.tiny import write_model

JOBS = 1000
REPEATS = 3
TUNING = ("tuning.epochs=0.02", "tuning.rank=4", "tuning.max_tokens=1024", "tuning.device=cpu")


def write_sweep(root: Path) -> Sweep:
    """A finished sweep: one real run of the four systems on the stub engine, and 999 like it."""
    model = Path(write_model(root / "model", weights=True).path)
    jobs = tuple(Job(number, (f"seed={number}", "engine=stub"), f"{number:08x}") for number in range(JOBS))
    sweep = Sweep(root / "sweep", jobs, (), str(root))
    sweep.write()
    first = sweep.workspace(jobs[0])
    place = [f"run_dir={first.path}", f"builds_dir={root / 'builds'}"]
    done = start("run", *small(model, "systems=all", *TUNING, *place))
    assert done.code == 0, done.err
    for job in jobs:
        workspace = sweep.workspace(job)
        if job.number:
            workspace.path.mkdir(parents=True)
            for file in (first.summary, first.manifest, first.complete):
                shutil.copy(file, workspace.path)
        write_submitted(sweep.folder(job), f"1_{job.number}")
        write_attempt(new_attempt(sweep.folder(job)), Attempt.now().ended(DONE))
    return sweep


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="knowhow-benchmark-") as folder:
        sweep = write_sweep(Path(folder))
        times = []
        for _ in range(REPEATS):
            begun = time.perf_counter()
            done = start("sweep", "collect", str(sweep.path))
            times.append(time.perf_counter() - begun)
            assert done.code == 0, done.err
        assert len(json.loads((sweep.path / "table.json").read_text())["jobs"]) == JOBS
        rows = (sweep.path / "table.csv").read_text().count("\n") - 1
        show(
            "collect_time",
            REPEATS,
            [
                Figure(f"collect {JOBS} jobs", statistics.median(times), "s", "< 5"),
                Figure("rows of the table", rows, "count"),
            ],
        )


if __name__ == "__main__":
    main()
