from __future__ import annotations

from typing import Any

import pytest

from bench.costs.price import Price
from bench.refresh import refresh
from bench.reporting.facts import notes
from tests.reporting.summaries import share, summary

HOUR = Price(name="mine", kind="machine", device="cpu", cores=2, per_hour=3.6, source="a bill", date="2026-01-31")


def manifest(*, retrain: bool = False, device: str = "cpu", reused: bool = False, cores: int = 2) -> dict[str, Any]:
    hardware = {"cores": cores, "gpus": []}
    return {
        "config": {
            "systems": {
                "prompt": {"adapter": None},
                "rag": {"retriever": {}, "adapter": None},
                "finetuned": {"adapter": {}},
                "hybrid": {"retriever": {}, "adapter": {}},
            },
            "suite": {"retrain": retrain},
        },
        "build": {
            "index": {
                "seconds": 0.1 if reused else 4.0,
                "reused": reused,
                "engine": "qdrant-edge",
                "chunks": 50,
                "made": {"seconds": 4.0, "cached": 49, "kept": 49, "ran_on": "cpu", "hardware": hardware},
            },
            "adapters": {
                name: {"seconds": 200.0, "device": device, "made": {"hardware": hardware}}
                for name in ("finetuned", "hybrid")
            },
        },
    }


def measured(*systems: str) -> dict[str, Any]:
    return {system: {"stale_rate": share(0.5)} for system in systems}


def test_time_and_money_until_answers_are_right_again() -> None:
    found = refresh(manifest(), measured("prompt", "rag", "finetuned", "hybrid"), HOUR)
    assert {name: (one["indexing_seconds"], one["training_seconds"]) for name, one in found.items()} == {
        "prompt": (None, None),
        "rag": (4.0, None),
        "finetuned": (None, 200.0),
        "hybrid": (4.0, 200.0),
    }
    # 3.6 an hour is 0.001 a second.
    costs = {name: one["cost"] for name, one in found.items()}
    assert costs.pop("prompt") is None
    assert costs == pytest.approx({"rag": 0.004, "finetuned": 0.2, "hybrid": 0.204})


def test_an_index_that_was_there_took_what_its_making_took() -> None:
    found = refresh(manifest(reused=True), measured("rag"), HOUR)["rag"]
    assert (found["indexing_seconds"], found["cost"]) == (4.0, pytest.approx(0.004))


def test_a_machine_is_priced_by_its_cores() -> None:
    assert refresh(manifest(cores=16), measured("finetuned"), HOUR)["finetuned"]["cost"] == pytest.approx(1.6)


def test_another_machines_price_tells_nothing() -> None:
    assert refresh(manifest(device="cuda"), measured("finetuned"), HOUR)["finetuned"]["cost"] is None
    assert refresh(manifest(), {"rag": {"stale_rate": share(None)}}, HOUR) == {}


def test_the_report_says_so() -> None:
    made = summary({"rag": 0.9, "finetuned": 0.4, "prompt": 0.1}, set())
    made["refresh"] = refresh(manifest(), measured("rag", "finetuned", "prompt"), HOUR)
    (told,) = [note.text for note in notes(made) if note.text.startswith("After a change")]
    assert "rag: 4.0 s of indexing (0.004 USD)" in told
    assert "finetuned: 200.0 s of training (0.2 USD); prompt: nothing that would help." in told
    assert "suite.retrain=true" in told
