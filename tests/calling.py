"""Calls ``bench`` as a user would, in this process or in one of its own, and keeps what it said."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
FILES = Path(__file__).resolve().parent / "data" / "files"


@dataclass(frozen=True)
class Outcome:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str

    @property
    def path(self) -> Path:
        """The directory that a run prints last."""
        return Path(self.out.splitlines()[-1])

    def one_line(self, code: int) -> str:
        """The error, which must be the one line on stderr."""
        assert self.err.count("\n") == 1, self.err
        return self.last_line(code)

    def last_line(self, code: int) -> str:
        """The error, which must be one line after those that tell of progress, and no traceback."""
        assert self.code == code, self
        assert "Traceback" not in self.err
        lines = self.err.splitlines()
        assert [line for line in lines if line.startswith("bench")] == lines[-1:], self.err
        assert self.out == ""
        return lines[-1]


def call(*arguments: str) -> Outcome:
    """``bench ARGUMENTS`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return Outcome(code, out.getvalue(), err.getvalue())


def environment() -> dict[str, str]:
    """For a process of its own: this source tree, wherever it is started, and no network."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def start(*arguments: str, code: str | None = None) -> Outcome:
    """``bench ARGUMENTS``, or a piece of Python, in a process of its own."""
    program = ["-m", "bench", *arguments] if code is None else ["-c", code, *arguments]
    done = subprocess.run(
        [sys.executable, *program], capture_output=True, text=True, env=environment(), timeout=300, check=False
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def begun(*arguments: str) -> subprocess.Popen[str]:
    """``bench ARGUMENTS`` in a process, and a group, of its own, which goes on meanwhile."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments],
        env=environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_lines(file: Path, lines: int, process: subprocess.Popen[str]) -> None:
    """Wait until a file has so many lines, which this process is to write."""
    deadline = time.monotonic() + 240
    while not (file.exists() and file.read_bytes().count(b"\n") >= lines):
        assert process.poll() is None, process.communicate()
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"{file}: not {lines} lines: {process.communicate()}")
        time.sleep(0.005)


def small(model: Path, *further: str) -> list[str]:
    """Settings of a run that is over in a moment: the stub engine, two systems, no embeddings, 60 answers."""
    return [
        "experiment=pocket",
        "engine=stub",
        "tracker=none",
        "retriever=bm25",
        "systems=base",
        f"model.path={model}",
        "model.context_tokens=16384",
        "suite.entities=12",
        "suite.count=6",
        "load.requests=8",
        "load.rates=[50]",
        "load.warm_up=2",
        *further,
    ]
