"""Measures as table rows: a cell per system with its interval, and one strip of interval bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.reporting import numbers
from bench.reporting.measures import GROUPS, Better, measure, modes, ordered, quoted
from bench.reporting.numbers import PLAIN, SHARES
from bench.reporting.strips import strip
from bench.reporting.verdicts import verdict


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One system's value of one measure, ready to print."""

    system: str
    value: str
    interval: str
    n: int | None
    reason: str
    """Why there is no number; empty where there is one, or where the system has no such measure."""
    best: bool
    sort: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measure, in one mode, over all systems."""

    name: str
    label: str
    better: Better | None
    secondary: bool
    """It rests on a detector that people do not agree with, or were not asked about."""
    mode: str
    cells: tuple[Cell, ...]
    strip: str
    """SVG; empty where no system has a number."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows that belong together."""

    title: str
    mode: str
    """How its numbers were taken, where they were all taken alike."""
    rows: tuple[Row, ...]


def groups(
    measured: Mapping[str, Mapping[str, Any]], comparisons: Sequence[Mapping[str, Any]], task: str | None = None
) -> list[Group]:
    """All measures of a scope by group, each in the mode to quote. ``measured``: system to its measures there."""
    names = [
        name
        for name in ordered(name for measures in measured.values() for name in measures)
        if any((found := quoted(m, name)) is not None and not _not_applicable(found) for m in measured.values())
    ]
    rows = [(measure(name).group, _row(measured, comparisons, name, task)) for name in names]
    return [_group(title, [row for group, row in rows if group == title]) for title in GROUPS if title in dict(rows)]


def _group(title: str, rows: Sequence[Row]) -> Group:
    """The mode moves from the rows to the group where all that have one have the same."""
    found = {row.mode for row in rows if row.mode}
    if len(found) != 1:
        return Group(title=title, mode="", rows=tuple(rows))
    return Group(title=title, mode=found.pop(), rows=tuple(replace(row, mode="") for row in rows))


def _row(
    measured: Mapping[str, Mapping[str, Any]], comparisons: Sequence[Mapping[str, Any]], name: str, task: str | None
) -> Row:
    estimates = {system: quoted(measures, name) for system, measures in measured.items()}
    told = verdict(measured, comparisons, name, task)
    return row(name, estimates, told.best if told else None)


def row(
    name: str, estimates: Mapping[str, Mapping[str, Any] | None], best: str | None = None, mode: str | None = None
) -> Row:
    """A row from one estimate per system; ``best`` is marked."""
    shown = [e for e in estimates.values() if e and e["estimate"] is not None]
    if mode is None:
        mode = " / ".join(dict.fromkeys(str(e["mode"]) for e in estimates.values() if e and e.get("mode")))
    return Row(
        name=name,
        label=measure(name).label,
        better=measure(name).better,
        secondary=any(e.get("secondary") for e in shown),
        mode=mode,
        cells=tuple(cell(system, e, best=system == best) for system, e in estimates.items()),
        strip=strip(estimates, list(estimates)) if shown else "",
    )


def cell(system: str, estimate: Mapping[str, Any] | None, *, best: bool = False) -> Cell:
    """A system's estimate as it is printed. One that could not be taken says so, and why."""
    if estimate is None or _not_applicable(estimate):
        return Cell(system=system, value="–", interval="", n=None, reason="", best=False, sort=None)
    missing = estimate["estimate"] is None
    return Cell(
        system=system,
        value=_missing(estimate) if missing else numbers.value(estimate),
        interval=numbers.interval(estimate),
        n=int(estimate["n"]),
        reason=str(estimate.get("reason") or "no reason was recorded") if missing else "",
        best=best,
        sort=None if missing else float(estimate["estimate"]),
    )


def _not_applicable(estimate: Mapping[str, Any]) -> bool:
    """A quality measure that applies to none of a system's answers: nothing was missed, so no reason is given."""
    return estimate["estimate"] is None and estimate["n"] == 0 and estimate["unit"] in SHARES | PLAIN


def _missing(estimate: Mapping[str, Any]) -> str:
    few = any(word in str(estimate.get("reason", "")).lower() for word in ("sample", "few", "floor"))
    return "too few samples" if few else "not measured"


def by_mode(measured: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[Group]:
    """Measures taken in several modes: a group per mode, the mode to quote first. No test, so nothing is marked."""
    found = list(
        dict.fromkeys(
            str(estimate.get("mode") or "")
            for name in names
            for measures in measured.values()
            for estimate in modes(measures, name)
        )
    )
    made = []
    for mode in found:
        rows = []
        for name in ordered(names):
            estimates = {system: _in_mode(measures, name, mode) for system, measures in measured.items()}
            if any(estimates.values()):
                rows.append(row(name, estimates, mode=mode))
        if rows:
            made.append(Group(title="", mode=mode, rows=tuple(rows)))
    return made


def _in_mode(measures: Mapping[str, Any], name: str, mode: str) -> Mapping[str, Any] | None:
    return next((estimate for estimate in modes(measures, name) if str(estimate.get("mode") or "") == mode), None)
