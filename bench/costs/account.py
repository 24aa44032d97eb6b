"""The account of a run: what every system costs per call, to build and to keep, and where two cost the same.

From a run's summary and manifest alone; nothing is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import combinations
from typing import Any

from bench.costs.break_even import break_even_volume
from bench.costs.machine import Machine
from bench.costs.price import Price
from bench.costs.settings import Settings
from bench.costs.system import SystemAccount, system_account
from bench.costs.upkeep import Upkeep, surface


def account(summary: Mapping[str, Any], manifest: Mapping[str, Any], price: Price, own: Settings) -> dict[str, Any]:
    """What ``cost.json`` says (see ``reporting/cost.schema.json``)."""
    machine = engine_machine(manifest)
    systems = {
        name: system_account(name, entry["measures"], manifest, price, machine, own)
        for name, entry in summary["systems"].items()
    }
    updates = own.updates_per_month or 0.0
    return {
        "run": str(summary["run"]["id"]),
        "price": asdict(price),
        "settings": {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(own).items()},
        "systems": {name: one.to_json(price.currency, updates) for name, one in systems.items()},
        "break_even": [_pair(a, b, systems, updates) for a, b in combinations(systems, 2)],
        "surface": surface(
            {
                name: (one.upkeep, one.calls[0].estimate)
                for name, one in systems.items()
                if isinstance(one.upkeep, Upkeep) and one.calls[0].estimate is not None and not one.calls[0].invalid
            },
            own.volume,
            own.updates_per_month,
        ),
    }


def engine_machine(manifest: Mapping[str, Any]) -> Machine:
    """What the run's engine ran on."""
    engine = manifest.get("config", {}).get("engine", {})
    devices = int(engine.get("tensor_parallel_size", 1)) * int(engine.get("pipeline_parallel_size", 1))
    return Machine.of(manifest.get("engine", {}).get("ran_on"), manifest.get("hardware", {}), devices)


def _pair(a: str, b: str, systems: Mapping[str, SystemAccount], updates: float) -> dict[str, Any]:
    """The break-even volume of two systems, at the declared number of updates."""
    fixed = []
    for name in (a, b):
        one = systems[name]
        if isinstance(one.upkeep, str):
            return {"a": a, "b": b, "verdict": "unknown", "reason": f"{name}: {one.upkeep}"}
        if one.calls[0].estimate is None:
            return {"a": a, "b": b, "verdict": "unknown", "reason": f"{name}: {one.calls[0].reason}"}
        fixed.append(one.upkeep.over(updates))
    found = break_even_volume(fixed[0], fixed[1], systems[a].calls[0], systems[b].calls[0])
    late = [name for name in (a, b) if systems[name].calls[0].invalid]
    return {"a": a, "b": b, **asdict(found), "cheaper": {"a": a, "b": b, None: None}[found.cheaper], "invalid": late}
