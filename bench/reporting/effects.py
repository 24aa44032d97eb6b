"""Main effects and interaction of the 2 x 2 grid as table rows.

``summary["effects"]`` maps a measure to ``retrieval``, ``tuning`` and ``interaction``, each an estimate of a
difference (``null`` with a reason where it was not computed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting import numbers
from bench.reporting.measures import measure, ordered
from bench.reporting.strips import around_zero

EFFECTS = ("retrieval", "tuning", "interaction")


_NONE: Mapping[str, Any] = {
    "estimate": None,
    "low": None,
    "high": None,
    "reason": "not computed: it takes one adapter behind both tuned systems",
}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One effect on one measure, ready to print."""

    name: str
    difference: str
    interval: str
    bar: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class EffectRow:
    """The effects on one measure, in the order of ``EFFECTS``."""

    measure: str
    effects: tuple[Effect, ...]


def effect_rows(summary: Mapping[str, Any]) -> list[EffectRow]:
    """A row per measure, in reading order; empty without a full grid."""
    effects = summary.get("effects") or {}
    rows = []
    for name in ordered(key for key, value in effects.items() if isinstance(value, Mapping)):
        found = {key: effects[name].get(key) or _NONE for key in EFFECTS}
        ends = [
            abs(float(e[side]))
            for e in found.values()
            for side in ("estimate", "low", "high")
            if e.get(side) is not None
        ]
        reach = max(ends, default=0.0) * 1.05 or 1.0
        cells = tuple(_effect(key, effect, reach) for key, effect in found.items())
        mark = " (secondary)" if any(e.get("secondary") for e in found.values()) else ""
        rows.append(EffectRow(measure=measure(name).label + mark, effects=cells))
    return rows


def _effect(key: str, effect: Mapping[str, Any], reach: float) -> Effect:
    unit, number = str(effect.get("unit", "share")), effect.get("estimate")
    low, high = effect.get("low"), effect.get("high")
    bounded = None not in (number, low, high)
    whole = {"estimate": number, "low": low, "high": high}
    return Effect(
        name=key,
        difference="not computed" if number is None else numbers.difference(float(number), unit),
        interval=numbers.difference_interval(float(low), float(high), unit)
        if low is not None and high is not None and bounded
        else "",
        bar="" if number is None else around_zero(whole, reach),
        reason=str(effect.get("reason") or "") if number is None else "",
    )
