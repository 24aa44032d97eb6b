"""Room and the right to write where results and builds go."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bench.checkup.base import About, Finding, State

NAME = "disk"
ESSENTIAL = True


def look(about: About) -> list[Finding]:
    run_dir = about.config.get("run_dir")
    places = {
        "results": (Path(run_dir) if run_dir else Path("results/runs"), "run_dir=DIR"),
        "builds": (Path(about.config.get("builds_dir") or "results/builds"), "builds_dir=DIR"),
    }
    return [_place(name, path, key, about.settings.free_gib) for name, (path, key) in places.items()]


def _place(name: str, path: Path, key: str, least: float) -> Finding:
    """Nothing is made there that was not: the nearest directory that exists stands for it."""
    there = path.resolve()
    while not there.exists():
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        found = f"{path}: {error.strerror}"
        fix = f"a directory that you may write to: {key}"
        return Finding(name=name, state=State.BROKEN, found=found, fix=fix, needed=True)
    free = shutil.disk_usage(there).free / 2**30
    found = f"{path}: {free:.1f} GiB free"
    if free < least:
        fix = f"free {least:g} GiB, or another place: {key}"
        return Finding(name=name, state=State.BROKEN, found=found, fix=fix, needed=True)
    return Finding(name=name, state=State.OK, found=found, needed=True)
