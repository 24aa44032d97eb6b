"""Runs the demo once in a fresh place and watches it from outside: time, memory, engine processes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class DemoRun:
    """What was seen of one demo."""

    seconds: float
    peak_bytes: int
    """Largest sum of resident memory over all its processes (shared pages counted once per process)."""
    engine_processes: int
    """Different engine cores that were seen."""
    manifest: dict[str, Any]


def run_demo(root: Path, *overrides: str) -> DemoRun:
    """``bench run experiment=pocket`` with nothing built beforehand."""
    command = [sys.executable, "-m", "bench", "run", "experiment=pocket", f"run_dir={root / 'run'}"]
    command += [f"builds_dir={root / 'builds'}", *overrides]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr)
    seen: dict[str, Any] = {"peak": 0, "engines": set()}
    watching = threading.Thread(target=_watch, args=(process.pid, seen), daemon=True)
    watching.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    watching.join(2)
    if code != 0:
        sys.exit(f"the demo failed with exit code {code}")
    manifest = json.loads((root / "run" / "manifest.json").read_text())
    return DemoRun(seconds, seen["peak"], len(seen["engines"]), manifest)


def _watch(pid: int, seen: dict[str, Any]) -> None:
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
        time.sleep(0.5)


def fresh() -> Path:
    """A new empty directory."""
    return Path(tempfile.mkdtemp(prefix="knowhow-benchmark-"))
