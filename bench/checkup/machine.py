"""Processor cores and memory that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

from bench.checkup.base import About, Finding, State

NAME = "memory"
ESSENTIAL = True
GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Where containers and batch systems write what they leave to a process, and what of it is taken."""


def look(about: About) -> list[Finding]:
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = psutil.virtual_memory()
    free = min([memory.available, *_left_by_groups()]) / 2**30
    least = about.settings.memory_gib
    return [
        Finding(name="processor", state=State.OK, found=f"{cores} core{'s' * (cores != 1)}", needed=True),
        Finding(
            name=NAME,
            state=State.OK if free >= least else State.BROKEN,
            found=f"{free:.1f} GiB free of {memory.total / 2**30:.1f}",
            fix="" if free >= least else f"free {least:g} GiB, or take engine=transformers, which needs about one",
            needed=True,
        ),
    ]


def _left_by_groups() -> list[int]:
    found = []
    for most, taken in GROUPS:
        try:
            found.append(int(Path(most).read_text()) - int(Path(taken).read_text()))
        except (OSError, ValueError):  # no such group, or no bound ("max")
            continue
    return found
