"""Whether the systems of a run differ in what they are compared by, and in nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHARED = ("sampling", "retriever", "top_k", "context_budget", "constrained")
"""Settings that have to be equal in every system that has them: decoding, and what is retrieved and shown."""
PROMPT = "prompt"
"""Equal among the systems with the same weights; in the controlled grid among all."""
TUNED = "adapter"


def differences(systems: Mapping[str, Mapping[str, Any]], grid: str = "practical") -> list[str]:
    """Every setting in which two of the systems differ though it is not what they are compared by, in words."""
    found = []
    for name in SHARED:
        found += _differ(name, {system: node[name] for system, node in systems.items() if node.get(name) is not None})
    for kind in (None,) if grid == "controlled" else (False, True):
        alike = {s: n[PROMPT] for s, n in systems.items() if PROMPT in n and kind in (None, n.get(TUNED) is not None)}
        found += _differ(PROMPT, alike)
    return found


def separate_adapters(systems: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """At most one line: two tuned systems of one run that do not share their adapter."""
    return _differ(TUNED, {system: node[TUNED] for system, node in systems.items() if node.get(TUNED) is not None})


def _differ(name: str, values: Mapping[str, Any]) -> list[str]:
    """At most one line: the first two systems that differ in the setting."""
    first = next(iter(values), None)
    other = next((system for system, value in values.items() if value != values.get(str(first))), None)
    return [] if other is None else [f"{name} differs between {first} and {other}"]
