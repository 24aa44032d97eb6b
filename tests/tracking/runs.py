"""A small complete run for the tests of tracking, and W&B's own reader of what was written of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.journal import seal
from bench.tracking.flat import run_id
from bench.workspace import Workspace
from tests.reporting.example_run import SYSTEMS, write_example

STARTED = "2026-11-20T09:14:03Z"
"""When the example run began."""
KEY = "0123456789abcdef0123456789abcdef01234567"
NAME = "a run"


def identity(writer: str) -> str:
    """The W&B id of the example's system, or of its build."""
    return run_id(NAME, STARTED, writer)


def write_run(path: Path) -> Workspace:
    """Ten answers per system; its config, errors and findings hold what must not leave."""
    workspace = Workspace(write_example(path / NAME))
    lines = workspace.samples.read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["id"].endswith(("-000", "-001"))]
    workspace.samples.write_text("\n".join(kept) + "\n")
    ids = {(json.loads(line)["task"], json.loads(line)["id"]) for line in kept}
    for file, write in ((workspace.predictions, seal), (workspace.scores, plain)):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_bytes(b"".join(write(row) for row in rows if (row["task"], row["sample"]) in ids))
    adapter = {"key": "f2ca", "weights": "0a1b", "examples": 900}
    manifest = workspace.read_manifest()
    workspace.update_manifest(
        started=STARTED,
        experiment="demo",
        grid="practical",
        model={"name": "pocket"},
        metrics={},
        made_by={"data": "9d0e"},
        build={
            "index": {"key": "b194", "chunks": 40, "embedder": "minilm"},
            "adapters": {"finetuned": adapter, "hybrid": adapter},
        },
        config=manifest["config"]
        | {
            "run_dir": "/home/somebody/runs/a",
            "tuning": {"rank": 16},
            "corpus": "/home/somebody/documents",
            "files": ["/home/somebody/one.pdf", "two.pdf"],
            "engine": {"base_url": "http://somebody:pass-9876@host:8000/v1"},
            "systems": {system: {"top_k": number} for number, system in enumerate(SYSTEMS)},
            "tracker": {"_target_": "bench.tracking.wandb.WandbTracker", "mode": "auto"},
            "price": {},
        },
    )
    return workspace


def plain(row: Any) -> bytes:
    return json.dumps(row).encode() + b"\n"


def records(run: Workspace, writer: str) -> list[dict[str, Any]]:
    """What W&B's own reader finds in the one W&B run of a system."""
    [found] = run.path.glob(f"wandb/*run-*-{identity(writer)}")
    words = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(found)]
    text = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def about(run: Workspace, writer: str) -> dict[str, Any]:
    """The record that says what the W&B run is."""
    [found] = [record["run"] for record in records(run, writer) if record["type"] == "run"]
    return dict(found)


def everything(run: Workspace) -> str:
    """All that would be sent: the logs and files of every W&B run, and staged artifacts, as text."""
    places = [
        *run.path.glob("wandb/*run-*/**/*"),
        *run.path.glob("wandb/data/**/*"),
        *run.path.glob("wandb/artifact/**/*"),
    ]
    found = [path for path in places if path.is_file() and "logs" not in path.parts]
    return "\n".join(path.read_bytes().decode(errors="replace") for path in found)


def table(run: Workspace, system: str) -> list[dict[str, Any]]:
    """The rows of a system's table of samples."""
    [path] = run.path.glob(f"wandb/*run-*-{identity(system)}/files/media/table/*.json")
    found = json.loads(path.read_text())
    return [dict(zip(found["columns"], row, strict=True)) for row in found["data"]]
