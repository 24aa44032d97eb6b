"""Shared parts: one tiny model on disk, and a working directory of its own for every test that runs something."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.tiny import write_model

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Begun in a shell's background: what the tests start would inherit that, and could not be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of an untrained model with weights and tokenizer."""
    return Path(write_model(tmp_path_factory.mktemp("model"), weights=True).path)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: runs and builds go to ``results/`` below it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
