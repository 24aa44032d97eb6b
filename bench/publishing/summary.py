"""``summary.json`` of a publication: estimates over all seeds, each seed's own as points, pairs and effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.aggregate import comparisons, effects, estimates
from bench.pool import Pool
from bench.publishing.claim import hardware_bound
from bench.tables import TOKENS

Summary = Mapping[str, Any]


def summarised(pool: Pool, systems: Sequence[str]) -> dict[str, Any]:
    """What the scores say: with intervals over samples, whose answers under several seeds count as one cluster."""
    parts = (pool.samples, pool.predictions, pool.scores, pool.metrics)
    found = estimates(*parts)
    return {
        "systems": {name: _without_tokens(found[name].to_json()) for name in systems},
        "comparisons": comparisons(*parts, systems=systems, tokens=False),
        "effects": {name: one for name, one in effects(*parts).items() if name not in TOKENS},
    }


def with_seeds(summary: dict[str, Any], runs: Mapping[int, Summary], tested: Sequence[str]) -> dict[str, Any]:
    """The same with every seed's own numbers beside, and what is of the machine as each run measured it."""
    summary["seeds"] = {
        str(seed): {
            system: {name: measures[name]["estimate"] for name in tested if name in measures}
            for system, measures in _measures(run).items()
        }
        for seed, run in runs.items()
    }
    summary["machine"] = {str(seed): of_machine(run) for seed, run in runs.items()}
    return summary


def of_machine(run: Summary) -> dict[str, dict[str, Any]]:
    """System → measure of the machine → its estimate, of several modes the one to quote."""
    return {
        system: {
            name: found[0] if isinstance(found, list) else found
            for name, found in measures.items()
            if hardware_bound(name)
        }
        for system, measures in _measures(run).items()
    }


def shown(summary: Summary, margins: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """System → the measures a reader is shown: of quality over all seeds, of the machine from the first run."""
    first: Mapping[str, Any] = next(iter(summary.get("machine", {}).values()), {})
    return {
        system: {
            **{name: one for name, one in entry["measures"].items() if name in margins},
            **{name: one for name, one in first.get(system, {}).items() if name in margins},
        }
        for system, entry in summary["systems"].items()
    }


def _measures(run: Summary) -> dict[str, Mapping[str, Any]]:
    return {system: entry["measures"] for system, entry in run["systems"].items()}


def _without_tokens(entry: dict[str, Any]) -> dict[str, Any]:
    def kept(measures: Mapping[str, Any]) -> dict[str, Any]:
        return {name: one for name, one in measures.items() if name not in TOKENS}

    return {"measures": kept(entry["measures"]), "tasks": {task: kept(one) for task, one in entry["tasks"].items()}}
