"""How a sweep stands, from its files alone, and from Slurm's queue where there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.sweeping.attempts import ENDED, FAILED, LEASE, REQUEUED, read_attempts, read_submitted
from bench.sweeping.plan import Job, Sweep
from bench.sweeping.queue import WORDS, Queued
from systems.lease import holder

STATES = ("done", "running", "queued", "failed", "waiting")
"""waiting: nobody was told to run it yet."""


@dataclass(frozen=True)
class Standing:
    """How one job stands."""

    job: Job
    state: str
    attempts: int
    scheduler_job: str | None
    """What Slurm calls it."""
    host: str | None
    """Where it ran last."""
    reason: str | None
    """Why it failed, or waits."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self.job), **{key: value for key, value in asdict(self).items() if key != "job"}}


def standings(sweep: Sweep, queue: Mapping[str, Queued] | None) -> list[Standing]:
    """Every job of a sweep. ``queue``: what Slurm knows, ``None`` where it cannot be asked."""
    return [_standing(sweep, job, queue) for job in sweep.jobs]


def _standing(sweep: Sweep, job: Job, queue: Mapping[str, Queued] | None) -> Standing:
    folder = sweep.folder(job)
    if sweep.workspace(job).complete.exists():
        return Standing(job, "done", len(read_attempts(folder)), None, None, None)
    attempts = read_attempts(folder)
    last = attempts[-1] if attempts else None
    submitted = read_submitted(folder)
    name = submitted["job"] if submitted else last.job if last else None
    known = queue.get(name) if queue is not None and name is not None else None

    def standing(state: str, reason: str | None = None) -> Standing:
        return Standing(job, state, len(attempts), name, last.host if last else None, reason)

    if holder(folder / LEASE) is not None and last is not None and last.outcome is None:
        return standing("running")
    if known is not None and known.active:
        return standing("queued", None if known.reason in ("None", "") else known.reason)
    # Attempts before the last submission are past; without a queue what was handed over is taken to be there still.
    begun = last is not None and (submitted is None or last.job == submitted["job"])
    if not begun:
        if submitted is None:
            return standing("waiting")
        if queue is None:
            return standing("queued", "as far as the files tell: there is no squeue here")
        return standing("failed", _ended(known) or "left the queue before it began")
    assert last is not None
    if last.outcome == REQUEUED and queue is None:
        return standing("queued", last.reason)
    if last.outcome == FAILED or (last.outcome == ENDED and (known is None or known.state == "FAILED")):
        return standing("failed", last.reason)
    return standing("failed", _ended(known) or "killed: its last attempt came to no end")


def _ended(known: Queued | None) -> str | None:
    return None if known is None else WORDS.get(known.state.split()[0])


def status_table(sweep: Sweep, found: Sequence[Standing]) -> str:
    """Counts, and a line for every job that is not simply done or waiting its turn."""
    counts = Counter(one.state for one in found)
    told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    lines = [f"{sweep.path}: {len(found)} jobs: {told}"]
    for one in found:
        if one.state in ("failed", "running", "queued"):
            place = f" on {one.host}" if one.state == "running" and one.host else ""
            slurm = f", Slurm job {one.scheduler_job}" if one.scheduler_job else ""
            lines.append(
                f"  {one.state:8} {sweep.name(one.job)}{place}{slurm}{f': {one.reason}' if one.reason else ''}"
            )
    if counts["failed"] or counts["waiting"]:
        lines.append(f"run what is not done again: bench sweep resume {sweep.path}")
    return "\n".join(lines)
