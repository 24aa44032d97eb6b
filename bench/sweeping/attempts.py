"""What became of a job: each attempt to run it is a small file of its own, replaced whole."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from bench.journal import write_atomically
from bench.workspace import now

DONE, FAILED, ENDED, REQUEUED = "done", "failed", "ended", "requeued"
LEASE = "lease"
SUBMITTED = "submitted.json"
LOG = "log.txt"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One start of a job, and its end if it came to one."""

    job: str | None
    """The scheduler's name for it (``12_3``)."""
    host: str
    pid: int
    begin: str
    end: str | None = None
    outcome: str | None = None
    """``None`` while it runs, and for good if it was killed; ended: by a signal that asked it to, cleanly."""
    reason: str | None = None

    @classmethod
    def now(cls) -> Attempt:
        """One that begins here."""
        return cls(job=scheduler_job(), host=socket.gethostname(), pid=os.getpid(), begin=now())

    def ended(self, outcome: str, reason: str | None = None) -> Attempt:
        """The same with its end."""
        return replace(self, end=now(), outcome=outcome, reason=reason)


def scheduler_job(environment: Mapping[str, str] = os.environ) -> str | None:
    """What Slurm calls the job of a sweep that this process is; ``None`` where it runs here, if within another job."""
    if environment.get("SUBMITIT_EXECUTOR") != "slurm":
        return None
    if "SLURM_ARRAY_JOB_ID" in environment:
        return f"{environment['SLURM_ARRAY_JOB_ID']}_{environment['SLURM_ARRAY_TASK_ID']}"
    return environment.get("SLURM_JOB_ID")


def attempt_files(folder: Path) -> list[Path]:
    """The files of a job's attempts, oldest first."""
    return sorted(folder.glob("attempt-*.json"))


def new_attempt(folder: Path) -> Path:
    """The file of the next attempt. Called by the holder of the job's lease."""
    return folder / f"attempt-{len(attempt_files(folder)) + 1:03d}.json"


def write_attempt(file: Path, attempt: Attempt) -> None:
    """Write it as it stands now."""
    write_atomically(file, json.dumps(asdict(attempt)) + "\n")


def read_attempts(folder: Path) -> list[Attempt]:
    """A job's attempts, oldest first."""
    known = {field.name for field in fields(Attempt)}
    return [
        Attempt(
            **{name: value for name, value in json.loads(file.read_text(encoding="utf-8")).items() if name in known}
        )
        for file in attempt_files(folder)
    ]


def write_submitted(folder: Path, job: str) -> None:
    """Note what the scheduler calls a job."""
    write_atomically(folder / SUBMITTED, json.dumps({"job": job, "time": now()}) + "\n")


def read_submitted(folder: Path) -> dict[str, Any] | None:
    """The last submission of a job; ``None`` where there was none."""
    file = folder / SUBMITTED
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
