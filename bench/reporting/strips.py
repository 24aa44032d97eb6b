"""Interval bars: one thin bar per system on a shared axis, small enough to stand in a table row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.reporting import svg
from bench.reporting.numbers import PLAIN, SHARES

WIDTH = 150.0
STEP = 8.0
PAD = 5.0


def axis_end(estimates: Sequence[Mapping[str, Any] | None]) -> float:
    """Where the axis ends: 1 for shares and scores, a little past the largest end of an interval otherwise."""
    found = [e for e in estimates if e and e["estimate"] is not None]
    if not found:
        return 1.0
    top = max(float(value) for e in found for value in (e["estimate"], e["high"]) if value is not None)
    return 1.0 if found[0]["unit"] in SHARES | PLAIN and top <= 1 else top * 1.02 or 1.0


def strip(estimates: Mapping[str, Mapping[str, Any] | None], systems: Sequence[str]) -> str:
    """The intervals of all systems for one measure, in the order of ``systems``, as an SVG string."""
    end, height = axis_end(list(estimates.values())), STEP * len(systems) + 2
    parts = [svg.line(_x(at * end, end), 0, _x(at * end, end), height) for at in (0, 0.5, 1)]
    for row, system in enumerate(systems):
        parts += bar(estimates.get(system), end, 1 + STEP * (row + 0.5), svg.colour(system, systems))
    return svg.ornament(WIDTH, height, parts, "strip")


def bar(
    estimate: Mapping[str, Any] | None,
    end: float,
    y: float,
    colour: str,
    *,
    left: float = 0,
    width: float = WIDTH,
    radius: float = 2.8,
) -> list[str]:
    """One interval and its estimate; nothing where there is no number."""
    if not estimate or estimate["estimate"] is None:
        return []
    parts = []
    if estimate["low"] is not None and estimate["high"] is not None:
        ends = (_x(float(estimate[side]), end, left, width) for side in ("low", "high"))
        parts.append(svg.line(next(ends), y, next(ends), y, colour, 1.6))
    parts.append(svg.circle(_x(float(estimate["estimate"]), end, left, width), y, radius, colour))
    return parts


def around_zero(effect: Mapping[str, Any], reach: float) -> str:
    """A difference and its interval on an axis from ``-reach`` to ``reach``, zero in the middle."""
    parts = [svg.line(WIDTH / 2, 0, WIDTH / 2, 14, svg.MUTED)]
    moved = {
        side: None if effect[side] is None else float(effect[side]) + reach for side in ("estimate", "low", "high")
    }
    return svg.ornament(WIDTH, 14, [*parts, *bar(moved, 2 * reach, 7, svg.INK)], "strip")


def _x(number: float, end: float, left: float = 0, width: float = WIDTH) -> float:
    return left + PAD + (width - 2 * PAD) * min(max(number / end, 0), 1)
