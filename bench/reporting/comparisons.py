"""Every paired comparison that was made, as table rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting import numbers
from bench.reporting.measures import measure, quoted
from bench.reporting.verdicts import ALPHA, SUITE


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A paired test, ready to print."""

    task: str
    measure: str
    pair: str
    difference: str
    interval: str
    p_holm: str
    shown: bool
    mde: str
    same: str
    """Whether the two are the same within the margin; empty where none is given."""
    discordant: str
    test: str
    n: int
    sort_difference: float | None
    sort_p: float | None


def comparison_rows(summary: Mapping[str, Any]) -> list[Comparison]:
    """The suite's comparisons first, then by task as the run has them."""
    made = [_row(summary, c) for c in summary["comparisons"]]
    return sorted(made, key=lambda c: c.task != "whole suite")


def _row(summary: Mapping[str, Any], c: Mapping[str, Any]) -> Comparison:
    unit, scale = _unit(summary, c), measure(c["measure"]).scale
    difference, low, high, mde = (
        None if c[key] is None else c[key] * scale for key in ("difference", "low", "high", "mde")
    )
    return Comparison(
        task="whole suite" if c["task"] in SUITE else str(c["task"]),
        measure=measure(c["measure"]).label + (" (secondary)" if c.get("secondary") else ""),
        pair=f"{c['a']} − {c['b']}",
        difference="–" if difference is None else numbers.difference(difference, unit),
        interval="" if low is None or high is None else numbers.difference_interval(low, high, unit),
        p_holm=numbers.p_value(c["p_holm"]),
        shown=c["p_holm"] is not None and c["p_holm"] < ALPHA,
        mde="–" if mde is None else numbers.difference(mde, unit, sign=False),
        same=_same(c),
        discordant=" : ".join(map(str, c["discordant"])) if c.get("discordant") else "–",
        test=str(c["test"]),
        n=int(c["n"]),
        sort_difference=c["difference"],
        sort_p=c["p_holm"],
    )


def _same(c: Mapping[str, Any]) -> str:
    found = c.get("equivalence")
    return "" if not found else f"{'yes' if found['equivalent'] else 'not shown'}, ±{found['margin']:g}"


def _unit(summary: Mapping[str, Any], c: Mapping[str, Any]) -> str:
    entry = summary["systems"].get(c["a"], {"measures": {}, "tasks": {}})
    for measures in (entry["measures"], *entry["tasks"].values()):
        if found := quoted(measures, c["measure"]):
            return str(found["unit"])
    return "share"
