"""No W&B settings but a test's own, an empty home, a small run, and a server on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.workspace import Workspace
from tests.tracking.runs import KEY, write_run
from tests.tracking.server import Server, serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, which stays empty."""
    for name in [name for name in os.environ if name.startswith(("WANDB_", "XDG_"))]:
        monkeypatch.delenv(name)
    found = tmp_path / "home"
    found.mkdir()
    monkeypatch.setenv("HOME", str(found))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    yield found
    assert [path.name for path in found.rglob("*")] == []


@pytest.fixture
def run(tmp_path: Path) -> Workspace:
    """A small complete run."""
    return write_run(tmp_path)


@pytest.fixture
def short(run: Workspace) -> Workspace:
    """The same with the first of its systems alone and nothing built, where more add nothing but time."""
    summary = json.loads(run.summary.read_text())
    summary["systems"] = {"prompt": summary["systems"]["prompt"]}
    run.summary.write_text(json.dumps(summary))
    run.update_manifest(build={})
    return run


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A W&B server that this process is logged in to."""
    with serving() as found:
        monkeypatch.setenv("WANDB_BASE_URL", found.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield found
        assert found.mistakes == []
