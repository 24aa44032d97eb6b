"""A run's files as W&B likes them: flat names for config and summary."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bench.tracking.points import BUILD

APART = ("hydra/", "run_dir", "builds_dir", "sweep_dir", "tracker/")
"""Settings of a machine or of the tracker."""


def run_id(run: str, started: str, system: str) -> str:
    """The W&B id: of letters that W&B allows, the same each time, and another for a directory of the same name."""
    when = hashlib.sha256(started.encode()).hexdigest()[:6]
    return re.sub(r"[^A-Za-z0-9_-]", "-", f"{run[:80]}-{when}-{system[:30]}")


def group(manifest: Mapping[str, Any]) -> str:
    """What the W&B run is listed with: its sweep's runs, else its experiment's."""
    return str((manifest.get("sweep") or {}).get("name") or manifest.get("experiment"))


def tags(manifest: Mapping[str, Any], writer: str) -> list[str]:
    """System, model and grid; in a sweep, that too. W&B allows 64 characters."""
    sweep = "sweep" if manifest.get("sweep") else None
    model = (manifest.get("model") or {}).get("name")
    return [str(tag)[:64] for tag in (writer, model, manifest.get("grid"), sweep) if tag]


def flat_config(manifest: Mapping[str, Any], writer: str) -> dict[str, Any]:
    """Config as people filter by it, ``tuning/rank`` and the like.

    A dot in a key is a level to W&B's filters and panels, which find no key that really has one.
    """
    found: dict[str, Any] = {"system": writer, "commit": manifest["commit"]}
    for key in ("seed", "split", "grid", "parity", "suite"):
        if manifest.get(key) is not None:
            found[key] = manifest[key]
    for key, value in _flatten(manifest["config"]):
        if key.startswith(APART) or (key.startswith("systems/") and not key.startswith(f"systems/{writer}/")):
            continue
        found[key] = value
    for key, value in (manifest.get("sweep") or {}).items():
        found[f"sweep/{key}"] = value
    adapter = manifest.get("build", {}).get("adapters", {}).get(writer)
    if adapter:
        found |= {"adapter": adapter["weights"], "adapter_key": adapter["key"]}
    index = manifest.get("build", {}).get("index") or {}
    if index and writer != BUILD:
        found["index_key"] = index["key"]
    return found


def flat_summary(summary: Mapping[str, Any], system: str) -> dict[str, Any]:
    """``accuracy``, ``accuracy/low``, ``accuracy/high``, ``accuracy/n``; ``facts/accuracy`` and so on per task.

    A measure that was taken in several modes is the quoted one under its bare name, and each under ``name (mode)``.
    """
    entry = summary["systems"][system]
    scopes = [("", entry["measures"]), *((f"{task}/", measures) for task, measures in entry["tasks"].items())]
    found: dict[str, Any] = {}
    for prefix, measures in scopes:
        for name, estimate in measures.items():
            modes = estimate if isinstance(estimate, list) else [estimate]
            found |= _estimate(f"{prefix}{name}", modes[0])
            if len(modes) > 1:
                for number, one in enumerate(modes, 1):
                    found |= _estimate(f"{prefix}{name} ({one.get('mode') or number})", one)
    return found


def _estimate(name: str, estimate: Mapping[str, Any]) -> dict[str, Any]:
    """What there is of an estimate; a measure that could not be taken has its ``reason``."""
    found = {name: estimate["estimate"]} if estimate["estimate"] is not None else {}
    for key in ("low", "high", "n", "reason", "secondary"):
        if estimate.get(key) is not None:
            found[f"{name}/{key}"] = estimate[key]
    return found


def _flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(inner, f"{prefix}/{key}" if prefix else str(key))
    else:
        yield prefix, value
