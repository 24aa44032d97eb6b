"""What Slurm's queue says about jobs, where there is one. No accounting database is asked."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from dataclasses import dataclass

ACTIVE = {
    "PENDING",
    "CONFIGURING",
    "RUNNING",
    "COMPLETING",
    "REQUEUED",
    "REQUEUE_HOLD",
    "SUSPENDED",
    "RESIZING",
    "STOPPED",
    "SIGNALING",
}
WORDS = {
    "OUT_OF_MEMORY": "out of memory: raise hydra.launcher.mem_gb",
    "TIMEOUT": "the time limit: raise hydra.launcher.timeout_min",
    "NODE_FAIL": "its node was lost",
    "CANCELLED": "cancelled",
    "PREEMPTED": "its place was taken",
    "FAILED": "its process was killed",
}
"""What an ended state means to who reads it."""


@dataclass(frozen=True)
class Queued:
    """A job as the queue knows it."""

    state: str
    reason: str

    @property
    def active(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in ACTIVE


def read_queue() -> dict[str, Queued] | None:
    """This user's jobs by name (``12_3``), those that ended minutes ago too; ``None`` where there is no queue."""
    if shutil.which("squeue") is None:
        return None
    command = ["squeue", "--noheader", "--array", "--states=all", f"--user={getpass.getuser()}", "--format=%i|%T|%r"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    rows = [line.strip().split("|", 2) for line in done.stdout.splitlines() if line.count("|") >= 2]
    return {name: Queued(state, reason) for name, state, reason in rows}


def place_taken(job: str) -> bool:
    """Whether a running job was told that its place is taken. Slurm puts it back only if it runs until it is killed."""
    command = ["squeue", "--noheader", f"--jobs={job}", "--states=RUNNING", "--Format=PreemptTime"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return told[:1].isdigit()
