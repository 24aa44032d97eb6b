"""Runs all probes at once, each in a process of its own: one that hangs, crashes or prints harms nothing."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import cast

from bench.checkup.base import About, Finding, Probe, State
from systems.child import environment

PROBES = ("packages", "machine", "gpu", "model", "engine", "qdrant", "tracker", "slurm", "disk", "hub", "chromium")
"""Modules of this package, in the order of their rows."""


def examine(about: About) -> list[Finding]:
    """Every probe's findings, in order; it takes as long as the slowest, which is bounded."""
    with ThreadPoolExecutor(len(PROBES)) as pool:
        return [finding for found in pool.map(partial(_examined, about), PROBES) for finding in found]


def probe(name: str) -> Probe:
    """A probe by its name."""
    return cast(Probe, importlib.import_module(f"bench.checkup.{name}"))


def _examined(about: About, name: str) -> list[Finding]:
    seconds = about.settings.deep_limit if about.deep and name == "engine" else about.settings.limit
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.checkup", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env=environment(),
    )
    try:
        said, _ = process.communicate(json.dumps(asdict(about)), timeout=seconds)
        return [Finding(**{**row, "state": State(row["state"])}) for row in json.loads(said.rpartition("\n")[2])]
    except subprocess.TimeoutExpired:
        return [_no_result(name, f"no result within {seconds:g} s")]
    except ValueError:
        return [_no_result(name, f"the probe died with exit code {process.wait()}")]
    finally:
        # Not waited for: a process that waits for a dead file server cannot be ended.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _no_result(name: str, found: str) -> Finding:
    broken = probe(name)
    fix = f"see what it says: python -m bench.checkup {name} < /dev/null"
    return Finding(name=broken.NAME, state=State.BROKEN, found=found, fix=fix, needed=broken.ESSENTIAL)
