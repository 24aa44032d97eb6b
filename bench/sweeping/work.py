"""One job: ``bench run`` in a process of its own, watched, so that its end is written down whatever it died of.

submitit runs this on a node. Slurm may ask a job to end in two ways. USR2 announces that its place is taken or its time
is up: ``checkpoint`` lets the run write what it goes on from, and submitit puts the job back into the queue. SIGTERM,
which the run hears itself, says the same where a cluster announces nothing, and so does who cancels the job: it goes
back only if its place is being taken. What Slurm has decided already, it does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bench.progress import say
from bench.sweeping.attempts import DONE, ENDED, FAILED, LEASE, LOG, REQUEUED, Attempt, new_attempt, write_attempt
from bench.sweeping.plan import Job, Sweep, read_sweep
from bench.sweeping.queue import place_taken
from systems.base import Failure
from systems.ending import SIGNALS
from systems.lease import held

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

POLL_SECONDS = 0.05
ASKED = {code: number for number in SIGNALS for code in (-number, 128 + number)}
"""Exit codes of a run that a signal asked to end, and that signal; 128 and more from within a container."""


class Work:
    """Runs a job of the sweep at ``place``. ``before``: words before its command, as those that start a container."""

    def __init__(self, place: Path, number: int, before: tuple[str, ...] = (), grace_seconds: float = 90.0) -> None:
        self.place, self.number, self.before, self.grace_seconds = place, number, before, grace_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._file: Path | None = None
        self._attempt: Attempt | None = None

    def __call__(self) -> None:
        """Run it to its end; who runs it already is waited for. Raises ``Failure`` with the reason where it fails."""
        sweep = read_sweep(self.place)
        job = sweep.jobs[self.number]
        folder = sweep.folder(job)
        folder.mkdir(parents=True, exist_ok=True)
        with held(folder / LEASE, lambda holder: say(f"job {job.number}: is run by {holder}; waiting for it")):
            if sweep.workspace(job).complete.exists():
                return
            self._file, self._attempt = new_attempt(folder), Attempt.now()
            write_attempt(self._file, self._attempt)
            try:
                code, said = self._run(sweep, job)
                outcome = ENDED if code in ASKED else FAILED if code else DONE
                self._end(outcome, reason_of(code, said) if code else None)
                name = self._attempt.job
                if outcome == ENDED and name is not None and (ASKED[code] == signal.SIGUSR2 or place_taken(name)):
                    signal.raise_signal(signal.SIGUSR2)  # to submitit, which may not have heard it yet
            except BaseException as error:
                if not (isinstance(error, SystemExit) and self._attempt.outcome == REQUEUED):
                    self._end(FAILED, " ".join(str(error).split()) or type(error).__name__)
                raise
            if code:
                raise Failure(f"job {self.number}: {self._attempt.reason}")

    def _run(self, sweep: Sweep, job: Job) -> tuple[int, str]:
        """Exit code of the job's own process, and its last words."""
        with (sweep.folder(job) / LOG).open("ab") as log:
            begun = log.tell()
            command = [*self.before, *command_of(sweep, job, inside=bool(self.before))]
            self._process = subprocess.Popen(
                command,
                cwd=sweep.directory,
                env={**os.environ, "KNOWHOW_SWEEP": sweep.path.name, "KNOWHOW_JOB": job.label},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while (code := self._process.poll()) is None:
                    time.sleep(POLL_SECONDS)
            except KeyboardInterrupt:
                self._process.wait()  # the terminal has interrupted it too
                raise
        return code, _last_words(sweep.folder(job) / LOG, begun)

    def checkpoint(self) -> DelayedSubmission:
        """Called by submitit in this process when the job's place is taken: ends the run where it can go on from."""
        from submitit.helpers import DelayedSubmission

        signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # scancel repeats it
        process = self._process
        if process is not None:
            deadline = time.monotonic() + self.grace_seconds
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            while not _ended(process.pid) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        if self._attempt is not None:
            self._end(REQUEUED, "its place was taken, or its time was up: back in the queue")
        return DelayedSubmission(Work(self.place, self.number, self.before, self.grace_seconds))

    def _end(self, outcome: str, reason: str | None = None) -> None:
        assert self._attempt is not None
        assert self._file is not None
        self._attempt = self._attempt.ended(outcome, reason)
        write_attempt(self._file, self._attempt)


def command_of(sweep: Sweep, job: Job, inside: bool = False) -> list[str]:
    """``bench run`` for a job; ``inside``: by the Python of a container, else by this one."""
    place = str(sweep.workspace(job).path).replace("\\", "\\\\").replace("'", "\\'")
    return ["python" if inside else sys.executable, "-m", "bench", "run", *job.overrides, f"run_dir='{place}'"]


def reason_of(code: int, said: str) -> str:
    """Why a run failed: its own last word, or the signal that ended it."""
    number = -code if code < 0 else code - 128
    if number not in {*signal.Signals}:
        return said or f"exit code {code}"
    name = signal.Signals(number).name
    if number == signal.SIGKILL:
        return f"killed ({name}), as for want of memory"
    return f"ended by {name}{': cancelled, or its place was taken, or its time was up' if code in ASKED else ''}"


def _last_words(log: Path, begun: int) -> str:
    """The error that ``bench`` ended with in this attempt; else its last line."""
    with log.open("rb") as file:
        file.seek(begun)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return ([line for line in lines if line.startswith("bench ")] or lines or [""])[-1]


def _ended(pid: int) -> bool:
    """Whether a child has ended; looks without taking its exit code away from whoever waits for it."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
