"""Nothing of this machine is published, and what is published becomes a config again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.publishing.portable import flat, portable, published_manifest, restored
from bench.workspace import ROOT
from systems.base import UserError

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
    back = restored(kept)
    assert (back["samples"], back["suite"]["samples"], back["suite"]["corpus"]) == (None, None, None)
    assert (back["run_dir"], back["builds_dir"]) == (None, "results/builds")
    assert CONFIG["samples"] == "/home/ann/q.jsonl"


def test_places_in_lists_and_in_addresses_have_to_be_given() -> None:
    kept, given = portable(
        {
            "suite": {"tasks": ["arc_easy", "/home/ann/own.yaml"], "path": "file:///home/ann/data"},
            "detector": {"files": [{"labels": "/home/ann/labels.jsonl"}], "home": "~/ann/x"},
            "engine": {"base_url": "https://ann:secret@host.example/v1", "key_variable": "OPENAI_API_KEY"},
        }
    )
    assert list(given) == ["suite.tasks", "suite.path", "detector.files", "detector.home", "engine.base_url"]
    assert kept["engine"] == {"base_url": None, "key_variable": "OPENAI_API_KEY"}
    assert "ann" not in str(kept)


@pytest.mark.parametrize(
    ("key", "value"),
    [("guidance", "Read /home/ann/rules.txt first."), ("api_key", "abc"), ("stop", ["see https://ann:pw@h/x"])],
)
def test_what_may_not_be_shown_and_cannot_be_given_is_refused(key: str, value: Any) -> None:
    with pytest.raises(UserError, match=rf"^engine\.{key}: names a place, a login or a secret within other words; "):
        portable({"engine": {key: value}})


def test_a_manifest_that_a_later_run_is_held_to_by_a_place_is_refused() -> None:
    with pytest.raises(UserError, match=r"^systems of the manifest: names a place"):
        published_manifest({"systems": ["rag", "/home/ann/rag"]})


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
        "build": {"adapters": {"hybrid": {"key": "0123456789", "weights": "w", "log": [{"step": 1}]}}},
        "engine": {"base_url": "https://ann:secret@host/v1"},
        "private": "Ann",
    }
    found = published_manifest(manifest)
    assert found == {
        "commit": "c0ffee",
        "documents": 2,
        "command": "bench run corpus=docs seed=1",
        "build": {"adapters": {"hybrid": {"key": "0123456789", "weights": "w"}}},
        "engine": {"base_url": "https://(hidden)/v1"},
    }
    assert manifest["build"]["adapters"]["hybrid"]["log"]  # type: ignore[index]
