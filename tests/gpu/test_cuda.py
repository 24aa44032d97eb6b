"""The main job on a CUDA device: the CUDA build of vLLM, the pocket model, and a hub model where one is given.

``KNOWHOW_GPU_MODEL`` names a checkpoint directory (or a hub id, where a hub can be reached) for the second test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def cuda() -> bool:
    import torch

    return torch.cuda.is_available()


pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not cuda(), reason="no CUDA device here")]


def run(tmp_path: Path, *overrides: str) -> dict:  # type: ignore[type-arg]
    place = [f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}", "tracker=none"]
    command = [sys.executable, "-m", "bench", "run", "experiment=pocket", "engine=vllm", *place, *overrides]
    subprocess.run(command, check=True, timeout=1800)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["completed"] == summary["planned"]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["engine"]["loads"] == 1
    assert manifest["hardware"]["gpus"]
    assert manifest["usage"]["generate"]["gpu_memory_mib"] > 0
    assert summary["run"]["adapter_proof"]["different"] > 0
    return summary


def test_pocket_model(tmp_path: Path) -> None:
    summary = run(tmp_path, "suite.count=40")
    assert set(summary["systems"]) == {"prompt", "rag", "finetuned", "hybrid"}


@pytest.mark.skipif("KNOWHOW_GPU_MODEL" not in os.environ, reason="KNOWHOW_GPU_MODEL names no checkpoint")
def test_larger_model(tmp_path: Path) -> None:
    model = os.environ["KNOWHOW_GPU_MODEL"]
    run(tmp_path, "model=hub", f"model.name={model}", "suite.count=40")
