"""A sweep's directory and plan: which jobs there are. Hydra's own sweep grammar says what a grid is.

DIR/sweep.json          the plan
DIR/runs/003/           the run of job 3: an ordinary run's directory
DIR/jobs/003/           what became of job 3: submission, attempts, lease, and what its run said (log.txt)
DIR/slurm/              what submitit needs and writes
DIR/table.csv, .json    what was collected
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.config import compose, config_hash, resolved
from bench.journal import write_atomically
from bench.progress import counted
from bench.workspace import Workspace, code_hash, now
from systems.base import UserError

LAUNCHER = ("hydra/launcher=", "hydra.launcher.", "+hydra.launcher.", "++hydra.launcher.")
"""How settings begin that say where jobs run, and nothing about what they are."""
OWN = ("run_dir", "sweep_dir")
"""Keys that a sweep sets for its jobs."""


@dataclass(frozen=True)
class Job:
    """One run of a sweep."""

    number: int
    overrides: tuple[str, ...]
    """What ``bench run`` is told, besides its directory."""
    config: str
    """Hash of the resolved config."""

    @property
    def label(self) -> str:
        """The number, as its files are named."""
        return f"{self.number:03d}"

    def settings(self) -> dict[str, str]:
        """Key → value of the overrides."""
        return {key: value for key, _, value in (override.partition("=") for override in self.overrides)}


@dataclass(frozen=True)
class Sweep:
    """A planned sweep."""

    path: Path
    jobs: tuple[Job, ...]
    launcher: tuple[str, ...]
    """Settings of the launcher it was submitted with."""
    directory: str
    """Where ``bench`` was called: paths in overrides count from there."""

    def workspace(self, job: Job) -> Workspace:
        """The run of a job."""
        return Workspace(self.path / "runs" / job.label)

    def folder(self, job: Job) -> Path:
        """Where it stands what became of a job."""
        return self.path / "jobs" / job.label

    def varied(self) -> list[str]:
        """Keys in which jobs differ."""
        values: dict[str, set[str | None]] = {}
        for key in dict.fromkeys(key for job in self.jobs for key in job.settings()):
            values[key] = {job.settings().get(key) for job in self.jobs}
        return [key for key, found in values.items() if len(found) > 1]

    def name(self, job: Job) -> str:
        """A job in words, by what only it has: ``3 (seed=1 retriever=bm25)``."""
        told = " ".join(f"{key}={value}" for key, value in job.settings().items() if key in self.varied())
        return f"{job.number} ({told})" if told else str(job.number)

    def write(self) -> None:
        """Write the plan down."""
        record = {
            "jobs": [asdict(job) for job in self.jobs],
            "launcher": self.launcher,
            "directory": self.directory,
            "code": code_hash(),
            "created": now(),
        }
        write_atomically(self.path / "sweep.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def read_sweep(path: Path) -> Sweep:
    """The sweep of a directory."""
    file = path / "sweep.json"
    if not file.exists():
        raise UserError(f"{path}: is no sweep's directory (sweep.json is missing)")
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        jobs = tuple(Job(one["number"], tuple(one["overrides"]), one["config"]) for one in record["jobs"])
        return Sweep(path.resolve(), jobs, tuple(record["launcher"]), record["directory"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file}: cannot be read as a sweep's plan ({error})") from None


def plan(arguments: Sequence[str]) -> Sweep:
    """The sweep of these arguments, as new or as it stands already; every job's config is composed and checked."""
    place = [argument.partition("=")[2] for argument in arguments if argument.startswith("sweep_dir=")]
    launcher = tuple(argument for argument in arguments if argument.startswith(LAUNCHER))
    axes = [one for one in arguments if one not in launcher and not one.startswith("sweep_dir=")]
    jobs: list[Job] = []
    name = ""
    found = expand(axes)
    for number, overrides in enumerate(counted("checking configs", found)):
        try:
            config = compose(overrides)
        except UserError as error:
            if len(found) == 1:
                raise
            raise UserError(f"job {number} of {len(found)} ({' '.join(overrides)}): {error}") from error
        name = name or str(config.name)
        jobs.append(Job(number, tuple(overrides), config_hash(resolved(config))))
    twice = [config for config, count in Counter(job.config for job in jobs).items() if count > 1]
    if twice:
        same = [str(job.number) for job in jobs if job.config == twice[0]]
        raise UserError(f"jobs {' and '.join(same)} are the same run ({' '.join(jobs[int(same[0])].overrides)})")
    named = hashlib.sha256(json.dumps([job.config for job in jobs]).encode()).hexdigest()[:8]
    path = Path(place[-1] if place else f"results/sweeps/{name}-{named}").resolve()
    if (path / "sweep.json").exists():
        return _same(read_sweep(path), jobs, launcher)
    return Sweep(path, tuple(jobs), launcher, os.getcwd())


def expand(axes: Sequence[str]) -> list[list[str]]:
    """Every combination of the values of all axes (``seed=0,1``, ``seed=range(3)``), the last varying fastest."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    for axis in axes:
        if axis.startswith("-"):
            raise UserError(f"{axis}: no such flag here; settings are given as key=value")
        if axis.partition("=")[0] in OWN:
            raise UserError(f"{axis}: every job of a sweep has a directory of its own, below sweep_dir=DIR")
    try:
        return BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(list(axes)), None)[0]
    except HydraException as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip() and "hydra.cc" not in line]
        raise UserError(": ".join(lines[:2])) from error


def _same(before: Sweep, jobs: Sequence[Job], launcher: tuple[str, ...]) -> Sweep:
    """The sweep that stands in the directory, if it is this one."""
    if [job.config for job in before.jobs] != [job.config for job in jobs]:
        raise UserError(
            f"{before.path}: holds another sweep ({len(before.jobs)} jobs); choose another place with sweep_dir=DIR"
        )
    return Sweep(before.path, before.jobs, launcher or before.launcher, before.directory)
