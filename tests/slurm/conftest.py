"""One cluster for all tests of this directory; its commands and its Python library find it in the environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.calling import ROOT
from tests.slurm.cluster import Cluster, running


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running Slurm of one node."""
    with running() as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.environment.items():
            patch.setenv(name, value)
        yield found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What jobs find: this interpreter first on the path, and a shared directory of the test's own."""
    activate = tmp_path / "activate"
    activate.write_text(f'export PATH="{Path(sys.executable).parent}:$PATH"\n')
    for name, value in {
        "KNOWHOW_ENVIRONMENT": str(activate),
        "KNOWHOW_SHARED": str(tmp_path / "shared"),
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KNOWHOW_SITE", raising=False)
    monkeypatch.chdir(ROOT)  # scripts are submitted from there
    return tmp_path
