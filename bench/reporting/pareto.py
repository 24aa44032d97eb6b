"""Which systems no other one beats at once in quality, latency and cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.reporting import numbers
from bench.reporting.measures import primary, quoted

AXES = (("latency_e2e_p50", -1), ("cost_per_call", -1))
"""Beside the quality of ``primary``; the sign says which way is better."""
QUALITY_MODE = "adapter per request"
"""How weights are served in the quality run."""


def front(summary: Mapping[str, Any]) -> list[str]:
    """The systems on the Pareto front, by their point estimates. Those without quality or latency, and those whose
    load was invalid, are left out; cost counts where all that are left have one."""
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    lead = primary(*measured.values())
    axes = [(lead, 1), *AXES] if lead else []

    def values(system: str) -> list[float | None]:
        found = [(quoted(measured[system], name), sign) for name, sign in axes]
        return [
            None if one is None or one["estimate"] is None else sign * float(one["estimate"]) for one, sign in found
        ]

    points = {
        system: found
        for system in measured
        if (found := values(system)) and None not in found[:2] and not invalid(measured[system])
    }
    if any(None in found for found in points.values()):
        points = {system: found[:2] for system, found in points.items()}
    return [system for system, own in points.items() if not any(_beats(other, own) for other in points.values())]


def invalid(measures: Mapping[str, Any]) -> bool:
    """Whether a system's latency or cost is of a load that its client could not keep up with."""
    return any(numbers.invalid(one) for name, _ in AXES if (one := quoted(measures, name)) is not None)


def _beats(other: list[Any], own: list[Any]) -> bool:
    """At least as good in everything, and better in something."""
    return all(a >= b for a, b in zip(other, own, strict=True)) and other != own


def words(summary: Mapping[str, Any]) -> str:
    """The front in words, and a warning where latency was taken at another setting than quality."""
    found = front(summary)
    late = [system for system, entry in summary["systems"].items() if invalid(entry["measures"])]
    if not found and not late:
        return ""
    told = f"On the Pareto front of quality, latency and cost: {', '.join(found) or 'none'}."
    if late:
        told += f" Not asked for it, and drawn hollow, since their load was invalid: {', '.join(late)}."
    modes = {
        str(one.get("mode") or "")
        for entry in summary["systems"].values()
        if (one := quoted(entry["measures"], "latency_e2e_p50")) is not None
    }
    other = sorted(mode for mode in modes if "adapter" in mode and QUALITY_MODE not in mode)
    if other:
        told += f" Quality was measured with an {QUALITY_MODE}, these latencies otherwise: {'; '.join(other)}."
    return told
