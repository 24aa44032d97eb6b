"""A run of four systems whose costs can be worked out by hand. Nothing here was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PRICE = {
    "_target_": "bench.costs.price.Price",
    "name": "mine",
    "kind": "machine",
    "device": "cpu",
    "cores": 2,
    "currency": "USD",
    "per_hour": 3.6,
    "source": "made up",
    "date": "2025-01-31",
}
HARDWARE = {"cores": 2, "gpus": []}
RATES = {"prompt": 4.0, "rag": 2.0, "finetuned": 10.0, "hybrid": 5.0}
"""Requests per second: a call costs 0.00025, 0.0005, 0.0001 and 0.0002."""


def summary() -> dict[str, Any]:
    """Half of the answers are accepted, four fifths keep to their format."""
    run = dict.fromkeys(("experiment", "model", "engine", "started", "finished", "commit", "grid"), "made up")
    return {
        "run": {"id": "mine", "seed": 0, "parity": True, **run},
        "planned": 40,
        "completed": 40,
        "systems": {
            name: {
                "measures": {
                    "accepted": _estimate(0.5, 0.4, 0.6, "share"),
                    "format_adherence": _estimate(0.8, 0.7, 0.9, "share"),
                    "tokens_in": _estimate(1000.0, None, None, "tokens"),
                    "tokens_out": _estimate(100.0, None, None, "tokens"),
                    "throughput": _estimate(rate, rate * 0.8, rate * 1.25, "requests/s") | {"mode": "closed loop"},
                },
                "tasks": {},
            }
            for name, rate in RATES.items()
        },
        "comparisons": [],
    }


def manifest() -> dict[str, Any]:
    """One indexing took 100 s (0.1 USD), one training 2,000 s (2 USD)."""
    made = {"hardware": HARDWARE}
    adapter = {"key": "a", "seconds": 2000.0, "device": "cpu", "made": made}
    index = {"key": "i", "chunks": 50, "engine": "qdrant-edge", "seconds": 0.01, "reused": True}
    nodes: dict[str, Any] = {"prompt": {}, "rag": {"retriever": {}}}
    nodes |= {"finetuned": {"adapter": {}}, "hybrid": {"retriever": {}, "adapter": {}}}
    return {
        "config": {"price": PRICE, "engine": {}, "systems": nodes},
        "metrics": {},
        "engine": {"ran_on": "cpu"},
        "hardware": HARDWARE,
        "build": {
            "index": index | {"made": {"seconds": 100.0, "cached": 0, "ran_on": "cpu", **made}},
            "adapters": {"finetuned": adapter, "hybrid": adapter},
        },
    }


def write(directory: Path, **changes: Any) -> Path:
    """The run on disk; ``changes`` replace entries of the manifest."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "summary.json").write_text(json.dumps(summary()))
    (directory / "manifest.json").write_text(json.dumps(manifest() | changes))
    return directory


def _estimate(value: float, low: float | None, high: float | None, unit: str) -> dict[str, Any]:
    return {"estimate": value, "low": low, "high": high, "n": 40, "unit": unit}
