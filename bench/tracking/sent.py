"""Which W&B runs a server holds as they are now, so that nothing is sent twice."""

from __future__ import annotations

import hashlib
import json

from bench.journal import write_atomically
from bench.tracking.lineage import writers
from bench.tracking.login import server
from bench.tracking.points import read_points
from bench.tracking.publication import content
from bench.tracking.settings import Settings
from bench.workspace import Workspace


def _state(workspace: Workspace, settings: Settings, name: str) -> str:
    """Names what there is to send of a W&B run, and where to."""
    points = sum("published" not in values for values in read_points(workspace).get(name, ()))
    told = [content(workspace, settings), points, server(), settings.entity, settings.project]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _read(workspace: Workspace) -> dict[str, str]:
    path = workspace.path / "wandb" / "sent.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found


def unsent(workspace: Workspace, settings: Settings) -> list[str]:
    """The W&B runs of a complete run that the server does not hold as they are."""
    summary = json.loads(workspace.summary.read_text(encoding="utf-8"))
    names = writers(workspace.read_manifest(), list(summary["systems"]))
    marked = _read(workspace)
    return [name for name in names if marked.get(name) != _state(workspace, settings, name)]


def mark(workspace: Workspace, settings: Settings, name: str) -> None:
    """Note that one was sent."""
    text = json.dumps({**_read(workspace), name: _state(workspace, settings, name)}, indent=1)
    write_atomically(workspace.path / "wandb" / "sent.json", text + "\n")
