"""Heavy libraries are imported where they are used, and a finished run is scored and reported without any."""

from __future__ import annotations

import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import bench
import systems
from tests.calling import ROOT, call, environment, small, start

HEAVY = {
    *("torch", "vllm", "transformers", "wandb", "qdrant_edge", "qdrant_client", "matplotlib", "sentence_transformers"),
    *("peft", "trl", "datasets", "lm_eval", "pypdf", "aiohttp", "bitsandbytes"),
}
PLUGINS = ("systems.engines.forcing",)
"""Loaded by the heavy library itself, in processes of its own, and by nothing else at its top."""
IMPORTING = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    print(name, *sorted(HEAVY & set(sys.modules)))
""".replace("HEAVY", repr(HEAVY))
RUNNING = """
import sys
from bench.__main__ import main
code = main(sys.argv[1:])
print("loaded:", *sorted(HEAVY & set(sys.modules)), file=sys.stderr)
sys.exit(code)
""".replace("HEAVY", repr(HEAVY))


def modules() -> list[str]:
    return [
        module.name
        for package in (bench, systems)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith("__main__") and module.name not in PLUGINS
    ]


def test_importing_any_module_imports_no_heavy_library() -> None:
    names = modules()
    assert {"bench.run", "systems.engines.vllm", "systems.tuning.training", "bench.tracking.wandb"} <= set(names)
    done = start(*names, code=IMPORTING)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert len(lines) == len(names)
    guilty = [line for line in lines if " " in line]
    assert guilty[:1] == []


def loaded(*arguments: str) -> set[str]:
    done = start(*arguments, code=RUNNING)
    assert done.code == 0, done.err
    return set(done.err.splitlines()[-1].removeprefix("loaded:").split())


def test_a_finished_run_is_judged_scored_and_reported_without_a_model(place: Path, tiny_model: Path) -> None:
    run = call("run", *small(tiny_model))
    assert run.code == 0, run.err
    path = str(run.path.resolve())
    for stage in ("detect", "score", "report"):
        assert loaded(stage, path) == set()
    assert loaded("run", *small(tiny_model)) == set()


def test_without_dense_retrieval_no_embedder_is_loaded(place: Path, tiny_model: Path) -> None:
    found = loaded("run", *small(tiny_model))
    assert "qdrant_edge" in found
    assert not found & {"sentence_transformers", "vllm", "peft", "trl", "wandb", "aiohttp"}
    assert not list(place.rglob("embeddings.sqlite"))


@pytest.mark.skipif(importlib.util.find_spec("importlinter") is None, reason="import-linter is not installed")
def test_imports_run_downward() -> None:
    command = str(Path(sys.executable).with_name("lint-imports"))  # a virtual environment need not be on the path
    done = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stdout
