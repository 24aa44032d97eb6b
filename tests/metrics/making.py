"""Short forms for making samples and predictions by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bench.records import Prediction, Sample
from systems.base import Query


def sample(reference: Any = "42", schema: Any = None, **rest: Any) -> Sample:
    return Sample(id="s", task="t", query=Query(text="?", schema=schema), reference=reference, **rest)


def prediction(text: str = "", **rest: Any) -> Prediction:
    return Prediction(system="rag", task="t", sample="s", text=text, **rest)


def public_data(folder: str) -> Path:
    """A folder of third-party test data; the test is skipped where it is not at hand."""
    root = os.environ.get("KNOWHOW_DATA")
    if not root:
        pytest.skip("KNOWHOW_DATA is not set: the public test data is not at hand")
    path = Path(root) / folder
    if not path.is_dir():
        pytest.skip(f"KNOWHOW_DATA has no folder {folder}")
    return path
