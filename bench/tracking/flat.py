"""A run's files as W&B likes them: flat names for config and summary, and nothing of this machine in any value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LOCAL = re.compile(r"(?<![\w:/.~])(?:file:/*|~)?(?:/[^\s/'\",;]+){2,}/?")
"""A path of this machine inside a text."""
LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
"""User name and password inside an address."""


def without_paths(value: Any) -> Any:
    """The same value without this machine's paths (their last part stays) and without logins in addresses."""
    if isinstance(value, str):
        return LOCAL.sub(lambda match: Path(match.group(0)).name, LOGIN.sub("", value))
    if isinstance(value, Mapping):
        return {key: without_paths(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(inner) for inner in value]
    return value


def run_id(run: str, started: str, system: str) -> str:
    """The W&B id: of letters that W&B allows, the same each time, and another for a directory of the same name."""
    when = hashlib.sha256(started.encode()).hexdigest()[:6]
    return re.sub(r"[^A-Za-z0-9_-]", "-", f"{run[:80]}-{when}-{system[:30]}")


def flat_config(manifest: Mapping[str, Any], system: str) -> Iterator[tuple[str, Any]]:
    """Config as people filter by it, ``tuning.rank`` and the like; without paths of this machine."""
    yield "system", system
    yield "commit", manifest["commit"]
    for key, value in _flatten(manifest["config"]):
        if key.startswith(("hydra.", "run_dir", "builds_dir", "tracker.")):
            continue
        if key.startswith("systems.") and not key.startswith(f"systems.{system}."):
            continue
        yield key, without_paths(value)
    for name, build in manifest.get("build", {}).get("adapters", {}).items():
        if name == system:
            yield "adapter", build["weights"]
            yield "adapter_key", build["key"]
    index = manifest.get("build", {}).get("index") or {}
    if index:
        yield "index_key", index["key"]


def flat_summary(summary: Mapping[str, Any], system: str) -> Iterator[tuple[str, Any]]:
    """``accuracy``, ``accuracy.low``, ``facts/accuracy`` and so on."""
    entry = summary["systems"][system]
    scopes = [("", entry["measures"]), *((f"{task}/", measures) for task, measures in entry["tasks"].items())]
    for prefix, measures in scopes:
        for name, estimate in measures.items():
            first = estimate[0] if isinstance(estimate, list) else estimate
            yield f"{prefix}{name}", first["estimate"]
            for end in ("low", "high"):
                if first[end] is not None:
                    yield f"{prefix}{name}.{end}", first[end]
            if first.get("secondary"):
                yield f"{prefix}{name}.secondary", True


def _flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value
