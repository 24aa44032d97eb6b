"""After a change of the corpus: what each system needs until its answers are right again, in time and money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.costs.price import Price


def refresh(manifest: Mapping[str, Any], measured: Mapping[str, Mapping[str, Any]], price: Price) -> dict[str, Any]:
    """System → seconds of indexing and of training, their cost, and its stale answers in this run.

    From the build's own records, and only where stale answers were measured. ``cost`` is ``None`` where the price is
    not that of the machine that trained. A system without retrieval and without adapter cannot be brought up to date:
    both its times are ``None``.
    """
    build = manifest.get("build", {})
    adapters, index = build.get("adapters", {}), build.get("index") or {}
    nodes = manifest["config"].get("systems", {})
    found = {}
    for system, measures in measured.items():
        stale = measures.get("stale_rate")
        if not stale or stale.get("estimate") is None:
            continue
        indexing = float(index["seconds"]) if "retriever" in nodes.get(system, {}) and not index.get("reused") else None
        training = float(adapters[system]["seconds"]) if system in adapters else None
        device = str(adapters[system].get("device", "cpu")) if system in adapters else "cpu"
        priced = price.device in (None, "cpu" if device.startswith("cpu") else "gpu")
        spent = (indexing or 0.0) + (training or 0.0) if indexing or training else None
        found[system] = {
            "indexing_seconds": indexing,
            "training_seconds": training,
            "cost": spent * price.per_hour / 3600 if spent and priced and price.per_hour is not None else None,
            "currency": price.currency,
            "retrained": bool(manifest["config"].get("suite", {}).get("retrain")),
            "stale_rate": stale,
        }
    return found
