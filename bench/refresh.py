"""After a change of the corpus: what each system needs until its answers are right again, in time and money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.costs.builds import needs, reindexing_cost, training_cost
from bench.costs.price import Price


def refresh(manifest: Mapping[str, Any], measured: Mapping[str, Mapping[str, Any]], price: Price) -> dict[str, Any]:
    """System → seconds of indexing and of training, their cost, and its stale answers in this run.

    From the build's own records, and only where stale answers were measured. A time is ``None`` where nothing says what
    it was, ``cost`` also where the price is not that of the machine it was. A system without retrieval and without
    adapter ``needs`` nothing: it cannot be brought up to date.
    """
    build = manifest.get("build", {})
    adapters, index = build.get("adapters", {}), build.get("index") or {}
    nodes = manifest["config"].get("systems", {})
    found = {}
    for system, measures in measured.items():
        stale = measures.get("stale_rate")
        if not stale or stale.get("estimate") is None:
            continue
        wanted = needs(nodes.get(system, {}))
        adapter = adapters.get(system)
        seconds = {"indexing": index.get("made", {}).get("seconds"), "training": (adapter or {}).get("seconds")}
        costs = {"indexing": reindexing_cost(price, index), "training": training_cost(price, adapter)}
        amounts = [amount for need in wanted if (amount := costs[need].estimate) is not None]
        found[system] = {
            "needs": list(wanted),
            **{f"{need}_seconds": known if need in wanted else None for need, known in seconds.items()},
            "cost": sum(amounts) if wanted and len(amounts) == len(wanted) else None,
            "currency": price.currency,
            "retrained": bool(manifest["config"].get("suite", {}).get("retrain")),
            "stale_rate": stale,
        }
    return found
