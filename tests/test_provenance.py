"""Provenance: what a manifest says of where a run comes from, and what it never says."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.assembly import Assembly
from bench.begin import begin
from bench.config import compose
from bench.provenance import VARIABLES, lock, machine, provenance, seeds, tree
from tests.calling import call, small


def test_every_installed_package_is_named_with_its_version() -> None:
    found = lock()
    assert f"numpy=={importlib.metadata.version('numpy')}" in found["packages"]
    assert found["packages"] == sorted(set(found["packages"]))
    assert re.fullmatch("[0-9a-f]{16}", found["hash"])
    assert lock() == found


def test_variables_are_named_and_no_secret_is_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("WANDB_API_KEY", "secret-1")
    monkeypatch.setenv("HF_TOKEN", "secret-2")
    said = provenance({})["environment"]
    assert said["OMP_NUM_THREADS"] == "3"
    assert set(said) <= set(VARIABLES)
    assert "secret" not in str(provenance({}))
    assert not [name for name in VARIABLES if re.search("KEY|TOKEN$|SECRET|PASS|HOME|PATH", name)]


def test_seeds_are_found_wherever_they_stand() -> None:
    config = {"seed": 4, "tuning": {"seed": 5, "rank": 8}, "suite": {"world_seed": 7, "tasks": {"a": {"seed": 0}}}}
    assert dict(seeds(config)) == {"seed": 4, "tuning.seed": 5, "suite.world_seed": 7, "suite.tasks.a.seed": 0}


def test_the_machine_is_described() -> None:
    found = machine()
    assert found["kernel"] == os.uname().release
    assert set(found) == {"system", "kernel", "c_library", "driver"}


def git(place: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(place), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_dirty_tree_is_told_from_a_clean_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one")
    for name in ("bench.workspace.ROOT", "bench.provenance.ROOT"):
        monkeypatch.setattr(name, tmp_path)
    head = git(tmp_path, "rev-parse", "HEAD")
    assert tree() == {"commit": head, "dirty": False}
    (tmp_path / "file").write_text("two")
    first = tree()
    assert (first["commit"], first["dirty"]) == (f"{head}-dirty", True)
    (tmp_path / "file").write_text("three")
    assert tree()["changes"] != first["changes"]
    monkeypatch.setattr("bench.workspace.ROOT", tmp_path / "..")
    assert tree() == {"commit": "unknown", "dirty": None}


def test_a_manifest_says_all_of_it(tiny_model: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/bench", "run", "suite.count=2", "name=a b"])
    done = call("run", *small(tiny_model, "suite.count=2", "seed=3"))
    assert done.code == 0, done.err
    manifest = Assembly(compose(small(tiny_model, "suite.count=2", "seed=3"))).workspace.read_manifest()
    wanted = {"commit", "dirty", "lock", "hardware", "platform", "environment", "python", "packages", "command"}
    assert wanted | {"made_by", "model", "build", "seeds", "started", "finished"} <= set(manifest)
    assert manifest["command"] == "bench run suite.count=2 'name=a b'"
    assert (manifest["seeds"]["seed"], manifest["seeds"]["suite.world_seed"]) == (3, 2026)
    assert {"code", "data", "model", "config", "retrieval"} == set(manifest["made_by"])
    assert manifest["started"] <= manifest["finished"]


def test_where_a_run_goes_on_elsewhere_the_manifest_says_so(
    tiny_model: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small(tiny_model, "suite.count=2")

    def begun() -> dict[str, Any]:
        assembly = Assembly(compose(settings))
        with begin(assembly):
            return assembly.workspace.read_manifest()

    begun()
    assert "went_on" not in begun()
    monkeypatch.setenv("OMP_NUM_THREADS", "17")
    moved = begun()["went_on"]
    assert [sorted(one) for one in moved] == [["at", "environment"]]
    assert moved[0]["environment"]["OMP_NUM_THREADS"] == "17"
