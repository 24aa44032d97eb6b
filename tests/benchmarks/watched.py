"""A command watched from outside: how long it takes, how much memory, and which processes it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from systems.engines.in_process import MULTIPROCESSING


@dataclass(frozen=True)
class Watched:
    """What was seen of a command."""

    seconds: float
    peak_bytes: int
    """Largest sum of resident memory over all its processes (shared pages counted once per process)."""
    engine_processes: int
    """Different engine cores that were seen, of those ``apart``."""


def watch(command: Sequence[str], every: float = 0.5, apart: bool = False) -> Watched:
    """Run a Python module (``command`` begins with its name) and look at it every so many seconds.

    ``apart``: with vLLM in processes of its own, which can be counted, also where the cores are few.
    """
    started = time.perf_counter()
    known = {**os.environ, MULTIPROCESSING: "1"} if apart else None
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=sys.stderr, env=known)
    seen: dict[str, Any] = {"peak": 0, "engines": set()}
    watching = threading.Thread(target=_look, args=(process.pid, every, seen), daemon=True)
    watching.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    watching.join(2)
    if code != 0:
        sys.exit(f"{' '.join(command)}: failed with exit code {code}")
    return Watched(seconds, seen["peak"], len(seen["engines"]))


def _look(pid: int, every: float, seen: dict[str, Any]) -> None:
    while psutil.pid_exists(pid):
        try:
            top = psutil.Process(pid)
            family = [top, *top.children(recursive=True)]
            total = 0
            for member in family:
                total += member.memory_info().rss
                if "EngineCore" in " ".join(member.cmdline()):
                    seen["engines"].add((member.pid, member.create_time()))
            seen["peak"] = max(seen["peak"], total)
        except psutil.Error:
            pass  # a process that ended while we looked
        time.sleep(every)
