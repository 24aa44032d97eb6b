"""Starts the process that talks to W&B, hears what came of it, and ends it when its time is up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from bench.tracking.settings import Settings
from bench.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent.parent
"""Where this very program is found, wherever the run was started."""
START_SECONDS = 60.0
"""For Python and W&B to be loaded, on a busy machine."""


@dataclass(frozen=True)
class Told:
    """What came of one W&B run."""

    name: str
    """A system's or ``build``; empty: of all."""
    mode: str
    wrong: str | None = None


def start(
    workspace: Workspace, settings: Settings, do: str, mode: str, names: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """A guest at work. Its last word on standard input is left to the caller."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.tracking.guest"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is for the run, which then tells its guest
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))},
    )
    asked = {"do": do, "mode": mode, "names": names, "run": str(workspace.path.resolve()), "settings": asdict(settings)}
    _pipe(process.stdin).write(json.dumps(asked) + "\n")
    _pipe(process.stdin).flush()
    return process


def publishing(workspace: Workspace, settings: Settings, mode: str, names: Sequence[str]) -> Iterator[Told]:
    """Write W&B runs of a complete run; one that takes longer than the settings allow ends it all."""
    return hearing(start(workspace, settings, "publish", mode, names), mode, limit(settings))


def limit(settings: Settings) -> float:
    """Seconds that one W&B run may take in all."""
    return START_SECONDS + settings.init_timeout_seconds + settings.finish_timeout_seconds


def hearing(process: subprocess.Popen[str], mode: str, seconds: float) -> Iterator[Told]:
    """What a guest says, until it ends or is silent for too long."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        kill_family(process.pid)

    try:
        while True:
            timer = threading.Timer(seconds, stop)
            timer.start()
            line = _pipe(process.stdout).readline()
            timer.cancel()
            if not line:
                break
            yield Told(**json.loads(line))
        if late.is_set():
            yield Told("", mode, f"not done within {seconds:.0f} s")
        elif process.wait() < 0:
            yield Told("", mode, f"ended by signal {-process.returncode}")
    finally:
        timer.cancel()
        kill_family(process.pid)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                _pipe(pipe).close()


def kill_family(pid: int, *, children_only: bool = False) -> None:
    """A guest and W&B's service, which tries for ever to reach its server, even when its client is no more."""
    import psutil

    with suppress(psutil.Error):
        guest = psutil.Process(pid)
        for process in (*guest.children(recursive=True), *(() if children_only else (guest,))):
            process.kill()


def _pipe(of: IO[Any] | None) -> IO[Any]:
    assert of is not None
    return of
