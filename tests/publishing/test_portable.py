"""Nothing of this machine is published, and what is published becomes a config again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.publishing.portable import flat, portable, published_manifest, restored
from bench.workspace import ROOT

CONFIG: dict[str, Any] = {
    "run_dir": "/home/ann/runs",
    "builds_dir": "/scratch/ann",
    "tracker": {"entity": "ann"},
    "samples": "/home/ann/q.jsonl",
    "model": {"name": "pocket", "path": str(ROOT / "bench" / "pocket" / "weights")},
    "suite": {"samples": "/home/ann/q.jsonl", "path": None, "corpus": "docs"},
    "systems": {"rag": {"retriever": {"top_k": 3}, "filters": {}}},
}


def test_places_are_taken_out_and_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    kept, given = portable(CONFIG)
    assert given == {"samples": ["suite.samples"], "suite.corpus": []}
    assert kept["model"]["path"] == "${package:bench.pocket,weights}"
    assert kept["systems"] == CONFIG["systems"]
    assert "ann" not in str(kept)
    assert not {"run_dir", "builds_dir", "tracker"} & set(kept)
    back = restored(kept, given, {"samples": "mine.jsonl", "suite.corpus": "pages"})
    assert (back["samples"], back["suite"]["samples"], back["suite"]["corpus"]) == ("mine.jsonl", "mine.jsonl", "pages")
    assert (back["run_dir"], back["builds_dir"]) == (None, "results/builds")
    assert CONFIG["samples"] == "/home/ann/q.jsonl"


def test_names_of_a_hub_are_no_places() -> None:
    kept, given = portable({"model": {"path": "Qwen/Qwen3-8B"}, "embedder": {"name": "BAAI/bge-large-en-v1.5"}})
    assert (kept["model"]["path"], given) == ("Qwen/Qwen3-8B", {})


def test_flat_keys_lead_to_every_value() -> None:
    assert dict(flat(CONFIG["systems"])) == {"rag.retriever.top_k": 3, "rag.filters": {}}


def test_a_manifest_is_published_by_name_and_without_places_or_texts() -> None:
    manifest = {
        "commit": "c0ffee",
        "config": CONFIG,
        "documents": ["What Ann wrote", "b"],
        "command": "bench run corpus=/home/ann/docs seed=1",
        "build": {"adapters": {"hybrid": {"weights": "w", "log": [{"step": 1}]}}},
        "engine": {"base_url": "https://ann:secret@host/v1"},
        "private": "Ann",
    }
    found = published_manifest(manifest)
    assert found == {
        "commit": "c0ffee",
        "documents": 2,
        "command": "bench run corpus=docs seed=1",
        "build": {"adapters": {"hybrid": {"weights": "w"}}},
        "engine": {"base_url": "https://host/v1"},
    }
    assert manifest["build"]["adapters"]["hybrid"]["log"]  # type: ignore[index]
