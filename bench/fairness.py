"""Whether the systems of a run differ in what they are compared by, and in nothing else.

The four of the grid may differ in retrieval and tuning alone. Any other system is a variant: it differs on purpose, and
what in is said beside its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.stats.effects import GRID

SHARED = ("sampling", "retriever", "top_k", "context_budget", "constrained")
"""Settings that have to be equal in every system that has them: decoding, and what is retrieved and shown."""
PROMPT = "prompt"
"""Equal among the systems with the same weights; in the controlled grid among all."""
TUNED = "adapter"
RETRIEVES = "retriever"

Systems = Mapping[str, Mapping[str, Any]]


def differences(systems: Systems, grid: str = "practical") -> list[str]:
    """Every setting in which two systems of the grid differ though it is not what they are compared by, in words."""
    cells = _cells(systems)
    found = []
    for name in SHARED:
        found += _differ(name, {system: node[name] for system, node in cells.items() if node.get(name) is not None})
    for kind in (None,) if grid == "controlled" else (False, True):
        alike = {s: n[PROMPT] for s, n in cells.items() if PROMPT in n and kind in (None, n.get(TUNED) is not None)}
        found += _differ(PROMPT, alike)
    return found


def variants(systems: Systems) -> dict[str, dict[str, Any]]:
    """Systems outside the grid: ``of`` which system each is a variant, and the settings it ``differs_in``.

    That system retrieves or not, and is tuned or not, as the variant is and does: the cell of the grid where it was
    run, else the first of the run. A system that is itself that first one is left out.
    """
    kinds = {system: (node.get(RETRIEVES) is not None, node.get(TUNED) is not None) for system, node in systems.items()}
    found = {}
    for system, node in systems.items():
        alike = [other for other in systems if kinds[other] == kinds[system]]
        of = next((other for other in alike if other in GRID), alike[0])
        if system not in GRID and system != of:
            keys = dict.fromkeys((*systems[of], *node))
            differing = [key for key in keys if key != "name" and node.get(key) != systems[of].get(key)]
            found[system] = {"of": of, "differs_in": differing}
    return found


def separate_adapters(systems: Systems) -> list[str]:
    """At most one line: the tuned systems of the grid do not share their adapter."""
    cells = _cells(systems)
    return _differ(TUNED, {system: node[TUNED] for system, node in cells.items() if node.get(TUNED) is not None})


def _cells(systems: Systems) -> Systems:
    return {system: node for system, node in systems.items() if system in GRID}


def _differ(name: str, values: Mapping[str, Any]) -> list[str]:
    """At most one line: the first two systems that differ in the setting."""
    first = next(iter(values), None)
    other = next((system for system, value in values.items() if value != values.get(str(first))), None)
    return [] if other is None else [f"{name} differs between {first} and {other}"]
