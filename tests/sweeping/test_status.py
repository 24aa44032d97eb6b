"""How jobs stand, told from files written by hand, with a queue and without one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.sweeping.attempts import (
    DONE,
    ENDED,
    FAILED,
    LEASE,
    REQUEUED,
    Attempt,
    new_attempt,
    read_attempts,
    scheduler_job,
    write_attempt,
    write_submitted,
)
from bench.sweeping.plan import Job, Sweep
from bench.sweeping.queue import Queued
from bench.sweeping.status import standings, status_table
from bench.sweeping.work import reason_of
from systems.lease import held

BEGUN = Attempt(job="7_0", host="node1", pid=1, begin="2025-01-01T00:00:00+00:00")
PENDING = Queued("PENDING", "Resources")


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(tmp_path, (Job(0, ("seed=0",), "hash"),), (), str(tmp_path))


def add(sweep: Sweep, attempt: Attempt) -> None:
    folder = sweep.folder(sweep.jobs[0])
    write_attempt(new_attempt(folder), attempt)


def state(sweep: Sweep, queue: Mapping[str, Queued] | None) -> tuple[str, str | None]:
    (found,) = standings(sweep, queue)
    return found.state, found.reason


def test_before_it_began(sweep: Sweep) -> None:
    assert state(sweep, {}) == state(sweep, None) == ("waiting", None)
    write_submitted(sweep.folder(sweep.jobs[0]), "7_0")
    assert state(sweep, {"7_0": PENDING}) == ("queued", "Resources")
    assert state(sweep, {"7_0": Queued("CANCELLED", "None")}) == ("failed", "cancelled")
    assert state(sweep, {}) == ("failed", "left the queue before it began")
    assert state(sweep, None) == ("queued", "as far as the files tell: there is no squeue here")


def test_while_it_runs_and_after_a_kill(sweep: Sweep) -> None:
    write_submitted(sweep.folder(sweep.jobs[0]), "7_0")
    add(sweep, BEGUN)
    with held(sweep.folder(sweep.jobs[0]) / LEASE):
        assert state(sweep, {}) == state(sweep, None) == ("running", None)
    assert state(sweep, None) == ("failed", "killed: its last attempt came to no end")
    assert state(sweep, {"7_0": Queued("OUT_OF_MEMORY", "None")}) == (
        "failed",
        "out of memory: raise hydra.launcher.mem_gb",
    )
    assert state(sweep, {"7_0": Queued("TIMEOUT", "TimeLimit")}) == (
        "failed",
        "the time limit: raise hydra.launcher.timeout_min",
    )
    assert state(sweep, {"7_0": PENDING})[0] == "queued", "Slurm has put it back after its node was lost"


def test_after_its_end(sweep: Sweep) -> None:
    write_submitted(sweep.folder(sweep.jobs[0]), "7_0")
    add(sweep, BEGUN.ended(REQUEUED, "its place was taken"))
    assert state(sweep, None) == ("queued", "its place was taken")
    assert state(sweep, {"7_0": Queued("PENDING", "BeginTime")}) == ("queued", "BeginTime")
    assert state(sweep, {})[0] == "failed", "cancelled while it waited"
    add(sweep, BEGUN.ended(FAILED, "bench run: seed=x: must be a whole number"))
    assert state(sweep, {}) == ("failed", "bench run: seed=x: must be a whole number")
    asked = "ended by SIGTERM: cancelled, or its place was taken, or its time was up"
    add(sweep, BEGUN.ended(ENDED, asked))
    assert state(sweep, {}) == state(sweep, None) == ("failed", asked)
    assert state(sweep, {"7_0": Queued("FAILED", "NonZeroExitCode")}) == ("failed", asked)
    assert state(sweep, {"7_0": Queued("CANCELLED", "None")}) == ("failed", "cancelled")
    assert (
        state(sweep, {"7_0": Queued("TIMEOUT", "TimeLimit")})[1] == "the time limit: raise hydra.launcher.timeout_min"
    )
    assert state(sweep, {"7_0": Queued("PENDING", "BeginTime")}) == ("queued", "BeginTime"), "Slurm has put it back"
    write_submitted(sweep.folder(sweep.jobs[0]), "8_0")  # resumed
    assert state(sweep, {"8_0": PENDING}) == ("queued", "Resources")
    add(sweep, Attempt(job="8_0", host="node2", pid=1, begin="").ended(DONE))
    complete = sweep.workspace(sweep.jobs[0]).complete
    complete.parent.mkdir(parents=True)
    complete.touch()
    (found,) = standings(sweep, {})
    assert (found.state, found.attempts) == ("done", 4)
    assert [one.outcome for one in read_attempts(sweep.folder(sweep.jobs[0]))] == [REQUEUED, FAILED, ENDED, DONE]
    assert status_table(sweep, [found]) == f"{sweep.path}: 1 jobs: 1 done"


def test_the_table_says_what_to_do(sweep: Sweep) -> None:
    add(sweep, BEGUN.ended(FAILED, "no such file"))
    assert status_table(sweep, standings(sweep, {})).splitlines() == [
        f"{sweep.path}: 1 jobs: 1 failed",
        "  failed   0, Slurm job 7_0: no such file",
        f"run what is not done again: bench sweep resume {sweep.path}",
    ]


def test_names_of_jobs_and_reasons_of_deaths() -> None:
    submitted = {"SUBMITIT_EXECUTOR": "slurm", "SLURM_JOB_ID": "15"}
    assert scheduler_job({**submitted, "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3"}) == "12_3"
    assert scheduler_job(submitted) == "15"
    assert scheduler_job({"SLURM_JOB_ID": "15"}) is None, "a sweep that runs its jobs itself, within a job"
    assert reason_of(1, "bench run: no such file") == "bench run: no such file"
    assert reason_of(1, "") == "exit code 1"
    assert reason_of(-9, "x") == reason_of(137, "x") == "killed (SIGKILL), as for want of memory"
    assert reason_of(-15, "x") == "ended by SIGTERM: cancelled, or its place was taken, or its time was up"
    assert reason_of(-11, "x") == "ended by SIGSEGV"


def test_a_standing_as_json(sweep: Sweep) -> None:
    add(sweep, BEGUN.ended(FAILED, "no such file"))
    (found,) = standings(sweep, None)
    assert json.loads(json.dumps(found.to_json())) == {
        "number": 0,
        "overrides": ["seed=0"],
        "config": "hash",
        "state": "failed",
        "attempts": 1,
        "scheduler_job": "7_0",
        "host": "node1",
        "reason": "no such file",
    }
