"""More urgent jobs take the place of sweeps and runs, announced and not; who cancels a job does not get it back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bench.begin import planned
from bench.journal import read
from bench.records import Key
from bench.sweeping.attempts import read_attempts, read_submitted
from bench.sweeping.plan import read_sweep
from bench.sweeping.work import reason_of
from bench.workspace import Workspace
from tests.calling import ROOT, small, start
from tests.slurm.cluster import CORES, Cluster, running, wait_until
from tests.slurm.test_scripts import submit

pytestmark = pytest.mark.slurm


def slow(model: Path, *further: str) -> list[str]:
    """Settings of a run of 36 s, 60 answers and no load: it is not over before its place is taken."""
    usual = [setting for setting in small(model) if not setting.startswith("load.")]
    return [*usual, "load=none", "engine.delay_seconds=1.2", "engine.max_num_seqs=2", *further]


@pytest.fixture(params=[True, False], ids=["announced", "unannounced"])
def taking(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Cluster]:
    """A cluster that sends the signal that a job asked for when its place is taken, and one that sends SIGTERM."""
    if request.param:
        yield cluster
        return
    with running(announced=False) as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.environment.items():
            patch.setenv(name, value)
        yield found


def submit_sweep(place: Path, model: Path, *further: str) -> None:
    settings = slow(model, f"builds_dir={place / 'builds'}", f"sweep_dir={place}")
    setup = f"hydra.launcher.setup=['cd {ROOT}']"
    done = start("sweep", "submit", *settings, "hydra.launcher.cpus_per_task=2", setup, *further)
    assert done.code == 0, done.err


def runs_of(place: Path) -> list[Workspace]:
    sweep = read_sweep(place)
    return [sweep.workspace(job) for job in sweep.jobs]


def names_of(place: Path) -> list[str]:
    """What Slurm calls a sweep's jobs."""
    sweep = read_sweep(place)
    return [(read_submitted(sweep.folder(job)) or {})["job"] for job in sweep.jobs]


def wait_for_answers(*runs: Workspace) -> None:
    for run in runs:
        journal = run.predictions
        wait_until(lambda file=journal: file.exists() and file.read_bytes().count(b"\n") >= 2, 120, str(journal))


def jobs(place: Path) -> dict[str, tuple[str, str | None]]:
    """Seed → state and reason."""
    done = start("sweep", "status", str(place), "--json")
    assert done.code == 0, done.err
    return {job["overrides"][-1]: (job["state"], job["reason"]) for job in json.loads(done.out)["jobs"]}


def outcomes(place: Path) -> list[list[str | None]]:
    sweep = read_sweep(place)
    return [[one.outcome for one in read_attempts(sweep.folder(job))] for job in sweep.jobs]


def check_whole(run: Workspace) -> None:
    found = Counter(Key(one["system"], one["task"], one["sample"], one["repeat"]) for one in read(run.predictions))
    assert found == Counter(planned(["prompt", "rag"], run.read_samples(), 1))
    assert run.complete.exists()


def test_whose_place_is_taken_goes_on_by_itself(
    taking: Cluster, site: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a partition that leaves 15 s and on one that leaves none; in a step of its own, as in a container, and not."""
    runs, names = [], []
    for partition in ("main", "brief"):
        place = tmp_path / partition
        submit_sweep(place, tiny_model, "seed=0", f"hydra.launcher.partition={partition}")
        runs += runs_of(place)
        names += names_of(place)
    for container in ("", f"srun --ntasks=1 env PATH={Path(sys.executable).parent}:{os.environ['PATH']}"):
        monkeypatch.setenv("KNOWHOW_CONTAINER", container)
        place = tmp_path / (container.partition(" ")[0] or "plain")
        place.mkdir()
        settings = slow(tiny_model, f"run_dir={place / 'run'}", f"builds_dir={place / 'builds'}")
        names.append(submit(taking, place, "run", *settings, options=("--ntasks=2",)))
        runs.append(Workspace(place / "run"))
    wait_for_answers(*runs)
    taking.call("sbatch", "--wait", "--partition=urgent", f"--ntasks={CORES}", "--output=/dev/null", "--wrap=true")
    for partition in ("main", "brief"):
        assert jobs(tmp_path / partition)["seed=0"][0] in ("queued", "running")
    for name, run in zip(names, runs, strict=True):
        taking.wait(name, "COMPLETED", seconds=180)
        assert " Restarts=1 " in taking.call("scontrol", "show", "job", name)
        check_whole(run)
    assert outcomes(tmp_path / "main") == [["requeued", "done"]]
    ((ended, done),) = outcomes(tmp_path / "brief")
    assert done == "done" != ended


def test_who_cancels_a_job_ends_it(cluster: Cluster, tiny_model: Path, tmp_path: Path) -> None:
    submit_sweep(tmp_path, tiny_model, "seed=0,1")
    wait_for_answers(*runs_of(tmp_path))
    first, second = names_of(tmp_path)
    cluster.call("scancel", first)
    with suppress(subprocess.TimeoutExpired):  # delivered; scancel would send it to a task of an array again and again
        subprocess.run(["scancel", "--quiet", "--signal=TERM", second], timeout=3, check=True)
    cluster.wait(first, "CANCELLED")
    cluster.wait(second, "FAILED")
    assert jobs(tmp_path) == {"seed=0": ("failed", "cancelled"), "seed=1": ("failed", reason_of(-signal.SIGTERM, ""))}
    assert outcomes(tmp_path)[1] == ["ended"]
    assert start("sweep", "resume", str(tmp_path)).code == 0
    for name, run in zip(names_of(tmp_path), runs_of(tmp_path), strict=True):
        cluster.wait(name, "COMPLETED", seconds=180)
        check_whole(run)
