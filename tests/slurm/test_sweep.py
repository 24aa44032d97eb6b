"""A sweep on a real Slurm, killed at every kind of moment: nothing is lost, nothing is doubled."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.begin import planned
from bench.journal import read
from bench.records import Key
from bench.reporting.run_files import check_summary
from bench.sweeping.attempts import read_attempts
from bench.sweeping.plan import Sweep, read_sweep
from bench.sweeping.queue import read_queue
from tests.calling import ROOT, small, start
from tests.moments import MOMENTS, preempt
from tests.slurm.cluster import Cluster, wait_until

pytestmark = pytest.mark.slurm

HOW = {
    "build": "kill",
    "build between write and rename": "parent",
    "training": "preempt",
    "generation": "preempt",
    "scoring": "kill",
    "between write and rename": "parent",
}
AXES = ["systems=base,all", "seed=0,1", "load.requests=6,7,8"]
"""Six jobs train: two adapters, each of which three jobs need."""
TUNING = ["tuning.epochs=0.02", "tuning.rank=4", "tuning.max_tokens=1024", "tuning.device=cpu"]


def let_run(hits: Path) -> None:
    """Wait until no job waits or runs, those that were put back included: each trains or answers as fast as it can."""

    def over() -> bool:
        preempt(hits)
        time.sleep(0.4)
        return not any(job.active for job in (read_queue() or {}).values())

    wait_until(over, 600, "the sweep's jobs to end")


def states(place: Path) -> Counter[str]:
    done = start("sweep", "status", str(place), "--json")
    assert done.code == 0, done.err
    return Counter(job["state"] for job in json.loads(done.out)["jobs"])


def check_complete(sweep: Sweep) -> None:
    """Every job's run holds every prediction once, and all that follows from them."""
    for job in sweep.jobs:
        workspace = sweep.workspace(job)
        names = ["prompt", "rag"] if "systems=base" in job.overrides else ["prompt", "rag", "finetuned", "hybrid"]
        found = Counter(Key(r["system"], r["task"], r["sample"], r["repeat"]) for r in read(workspace.predictions))
        assert found == Counter(planned(names, workspace.read_samples(), 1))
        scored = Counter(
            (Key(one.system, one.task, one.sample, one.repeat), one.metric) for one in workspace.read_scores()
        )
        assert set(scored.values()) == {1}
        assert {key for key, _ in scored} <= set(found)
        assert {key.sample for key, _ in scored} == {key.sample for key in found}
        summary = json.loads(workspace.summary.read_text())
        check_summary(summary)
        assert (summary["planned"], summary["completed"]) == (30 * len(names), 30 * len(names))
        assert workspace.complete.exists()


def test_twelve_jobs_killed_at_every_moment(
    cluster: Cluster, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, hits = tmp_path / "sweep", tmp_path / "hits"
    hits.mkdir()
    before = [sys.executable, "-m", "tests.moments", str(hits), *(f"{name}={how}" for name, how in HOW.items()), "--"]
    done = start(
        "sweep",
        "submit",
        *small(tiny_model, *TUNING, *AXES, f"builds_dir={tmp_path / 'builds'}", f"sweep_dir={place}"),
        "hydra.launcher.array_parallelism=3",
        "hydra.launcher.gpus_per_node=1",
        "hydra.launcher.partition=main",
        "hydra.launcher.constraint=small",
        f"hydra.launcher.setup=['cd {ROOT}']",
        f"hydra.launcher.container={json.dumps(before)}",
    )
    assert done.code == 0, done.err
    assert "12 jobs: 12 queued" in done.out or "running" in done.out
    let_run(hits)
    first = start("sweep", "status", str(place))
    counts = states(place)
    # A kill ends a job's attempt; a preempted job has gone on by itself.
    assert counts["failed"] == sum(how != "preempt" for how in HOW.values()), first.out
    assert counts["done"] == 12 - counts["failed"]
    assert "killed (SIGKILL), as for want of memory" in first.out
    assert "its process was killed" in first.out
    assert start("sweep", "resume", str(place)).code == 0
    let_run(hits)
    assert states(place) == {"done": 12}

    sweep = read_sweep(place)
    check_complete(sweep)
    attempts = {job.number: [one.outcome for one in read_attempts(sweep.folder(job))] for job in sweep.jobs}
    ends = Counter(outcome for outcomes in attempts.values() for outcome in outcomes)
    assert ends == {"done": 12, "failed": 2, None: 2, "requeued": 2}, attempts
    assert len(list((tmp_path / "builds/index").glob("[!.]*/artifact.json"))) == 1
    assert len(list((tmp_path / "builds/adapter").glob("[!.]*/artifact.json"))) == 2
    trained = Counter((hits / "steps").read_text().splitlines())
    assert len({line.split()[0] for line in trained}) == 2
    assert set(trained.values()) == {1}, "a preempted training goes on with the step after its checkpoint"
    logs = [(sweep.folder(job) / "log.txt").read_text() for job in sweep.jobs]
    assert any("waiting for process" in log for log in logs), "jobs that need the same build wait for it"

    collected = start("sweep", "collect", str(place))
    assert collected.code == 0, collected.err
    with (place / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["job"], row["system"]) for row in rows} == {
        (str(job.number), system)
        for job in sweep.jobs
        for system in (
            ["prompt", "rag"] if "systems=base" in job.overrides else ["prompt", "rag", "finetuned", "hybrid"]
        )
    }
    hit = {name: (hits / name).read_text().strip() for name in MOMENTS}
    with capsys.disabled():  # the log of the kills is part of what is shown
        print("\nkilled on Slurm:", *(f"  {name}: {who}" for name, who in sorted(hit.items())), sep="\n")
        print(first.out, collected.out, sep="\n")
