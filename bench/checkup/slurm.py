"""Slurm: its commands, its controller, its partitions."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from bench.checkup.base import About, Finding, State
from systems.base import Failure

NAME = "Slurm"
ESSENTIAL = False
COMMANDS = ("sbatch", "squeue", "sinfo")


def look(about: About) -> list[Finding]:
    absent = [name for name in COMMANDS if shutil.which(name) is None]
    if len(absent) == len(COMMANDS):
        found = "no sbatch on PATH; only sweeps on a cluster need it"
        return [Finding(name=NAME, state=State.NOT_NEEDED, found=found)]
    if absent:
        fix = "load the cluster's Slurm module, or put all of its commands on PATH"
        return [Finding(name=NAME, state=State.BROKEN, found=f"no {', no '.join(absent)}", fix=fix)]
    patience = about.settings.patience
    try:
        partitions = _lines(["sinfo", "--noheader", "--format=%P %a %D"], patience)
        jobs = len(_lines(["squeue", "--noheader", "--format=%i"], patience))
    except Failure as error:
        fix = "run it on a login node of the cluster; SLURM_CONF names the configuration where it is not the usual one"
        return [Finding(name=NAME, state=State.BROKEN, found=str(error), fix=fix)]
    rows = [line.split() for line in partitions]
    up = [f"{name} ({nodes} node{'s' * (nodes != '1')})" for name, state, nodes in rows if state == "up"]
    if not up:
        fix = "ask the cluster's administrators; sinfo shows why"
        return [Finding(name=NAME, state=State.BROKEN, found="it answers, but no partition is up", fix=fix)]
    found = f"partitions {', '.join(up)}; {jobs} job{'s' * (jobs != 1)} in the queue"
    return [Finding(name=NAME, state=State.OK, found=found)]


def _lines(command: Sequence[str], patience: float) -> list[str]:
    """What a command prints. Raises Failure where it prints nothing in time, or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"{command[0]}: no answer within {patience:g} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Failure(f"{command[0]}: {said[-1].rpartition('error: ')[2].rpartition('fatal: ')[2][:160]}")
    return done.stdout.splitlines()
