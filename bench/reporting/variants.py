"""Systems outside the grid beside the one each is a variant of, as table rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting import numbers
from bench.reporting.measures import measure, primary, quoted
from bench.reporting.verdicts import ALPHA, in_scope, task_names


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A variant over the suite or on one task; finished words."""

    system: str
    of: str
    differs_in: str
    task: str
    """Empty: the whole suite."""
    alike: str
    """Share of answers that say the same."""
    alike_interval: str
    measure: str
    value: str
    difference: str
    """Variant less original in that measure."""
    interval: str
    p_holm: str
    shown: bool


def variant_rows(summary: Mapping[str, Any]) -> list[Variant]:
    """Per variant the whole suite, then its tasks; none where all systems are of the grid."""
    return [
        _row(summary, system, about, task)
        for system, about in (summary.get("variants") or {}).items()
        if system in summary["systems"]
        for task in ("", *(task for task in task_names(summary) if task in about["tasks"]))
    ]


def _row(summary: Mapping[str, Any], system: str, about: Mapping[str, Any], task: str) -> Variant:
    entry = summary["systems"][system]
    measures = entry["tasks"].get(task, {}) if task else entry["measures"]
    name = primary(measures) or "accuracy"
    estimate = quoted(measures, name)
    unit = estimate["unit"] if estimate else "share"
    tested = _tested(summary, name, system, about["of"], task)
    difference, low, high = (tested[key] if tested else None for key in ("difference", "low", "high"))
    return Variant(
        system=system,
        of=about["of"],
        differs_in=", ".join(about["differs_in"]) or "nothing",
        task=task,
        alike=numbers.value(same := about["tasks"][task] if task else about["alike"]),
        alike_interval=numbers.interval(same),
        measure=measure(name).label,
        value=numbers.value(estimate),
        difference="–" if difference is None else numbers.difference(difference, unit),
        interval="" if low is None or high is None else numbers.difference_interval(low, high, unit),
        p_holm=numbers.p_value(tested["p_holm"] if tested else None),
        shown=tested is not None and tested["p_holm"] is not None and tested["p_holm"] < ALPHA,
    )


def _tested(summary: Mapping[str, Any], name: str, system: str, of: str, task: str) -> Mapping[str, Any] | None:
    """The comparison of the two, turned so that it is the variant's gain."""
    for found in in_scope(summary["comparisons"], name, task or None):
        if (found["a"], found["b"]) == (system, of):
            return found
        if (found["a"], found["b"]) == (of, system):
            low, high = (None if found[end] is None else -found[end] for end in ("high", "low"))
            gain = None if found["difference"] is None else -found["difference"]
            return {**found, "difference": gain, "low": low, "high": high}
    return None
