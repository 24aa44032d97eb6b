"""The four systems as a 2 x 2 picture, and retrieval and tuning as two lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.reporting import numbers, svg
from bench.reporting.measures import measure, primary, quoted
from bench.reporting.strips import bar
from bench.reporting.svg import apart, between

GRID = (("base weights", ("prompt", "rag")), ("tuned weights", ("finetuned", "hybrid")))
COLUMNS = ("no retrieval", "with retrieval")
CELL_LINES = (
    ("format_adherence", "format adherence"),
    ("hallucination_rate", "hallucination"),
    ("latency_e2e_p50", "latency, median"),
    ("cost_per_call", "cost per 1,000"),
)


def grid_svg(summary: Mapping[str, Any]) -> str | None:
    """The four systems as a 2 x 2 picture; a system that was not run leaves its cell empty.

    ``None`` where fewer than two of the four were run: then it would show next to nothing.
    """
    systems = list(summary["systems"])
    if sum(system in systems for _, names in GRID for system in names) < 2:
        return None
    name = primary(*(entry["measures"] for entry in summary["systems"].values())) or "accuracy"
    cell, gap, left, top = 206.0, 12.0, 0.0, 26.0
    row_height = 178.0
    width, height = 2 * cell + gap, top + 2 * row_height + gap + 22
    parts = [svg.text(left + i * (cell + gap) + 12, 15, words, fill=svg.MUTED) for i, words in enumerate(COLUMNS)]
    spoken = []
    for row, (weights, names) in enumerate(GRID):
        for column, system in enumerate(names):
            x, y = left + column * (cell + gap), top + row * (row_height + gap)
            measures = summary["systems"].get(system, {}).get("measures")
            parts += _cell(x, y, cell, row_height, system, weights, measures, name, systems)
            spoken.append(_spoken(system, weights, COLUMNS[column], measures, name))
    parts.append(
        svg.text(
            0, height - 6, f"Bars: {measure(name).label} from 0 to 100 %, with its interval", size=12, fill=svg.MUTED
        )
    )
    return svg.figure(width, height, parts, title="The 2 by 2 grid", description=" ".join(spoken))


def _cell(
    x: float,
    y: float,
    width: float,
    height: float,
    system: str,
    weights: str,
    measures: Mapping[str, Any] | None,
    name: str,
    systems: list[str],
) -> list[str]:
    ink = svg.colour(system, systems)
    parts = [
        svg.rect(x, y, width, height, ink if measures else svg.PAPER, opacity=0.08),
        svg.rect(x, y, 3, height, ink if measures else svg.RULE),
        svg.text(x + 14, y + 23, system, size=15, weight=600),
        svg.text(x + width - 12, y + 23, weights, size=12, fill=svg.MUTED, anchor="end"),
    ]
    if measures is None:
        return [*parts, svg.text(x + 14, y + 56, "not run", fill=svg.MUTED)]
    main = quoted(measures, name)
    parts += [
        svg.text(x + 14, y + 62, numbers.value(main), size=31, weight=600),
        svg.text(x + width - 12, y + 62, numbers.interval(main), size=14, fill=svg.MUTED, anchor="end"),
        svg.line(x + 14, y + 79, x + width - 12, y + 79, svg.RULE),
    ]
    end = 1.0 if main and (main["high"] or main["estimate"] or 0) <= 1 else float((main or {}).get("high") or 1)
    parts += bar(main, end, y + 79, ink, left=x + 9, width=width - 16, radius=4)
    for i, (key, words) in enumerate(CELL_LINES):
        baseline, found = y + 105 + i * 20, quoted(measures, key)
        size = 11 if found and numbers.invalid(found) else 13  # a mark takes room
        parts += [
            svg.text(x + 14, baseline, words, fill=svg.MUTED),
            svg.text(x + width - 12, baseline, numbers.value(found), size=size, anchor="end"),
        ]
    return parts


def _spoken(system: str, weights: str, retrieval: str, measures: Mapping[str, Any] | None, name: str) -> str:
    if measures is None:
        return f"{system} ({weights}, {retrieval}): not run."
    told = [f"{measure(name).label} {numbers.with_interval(quoted(measures, name))}"]
    told += [f"{words} {numbers.value(quoted(measures, key))}" for key, words in CELL_LINES if quoted(measures, key)]
    return f"{system} ({weights}, {retrieval}): {', '.join(told)}."


def interaction_svg(summary: Mapping[str, Any]) -> str | None:
    """Quality without and with retrieval, a line for base and one for tuned weights; ``None`` without all four.

    Parallel lines: no interaction.
    """
    measured = {system: summary["systems"].get(system, {}).get("measures", {}) for _, names in GRID for system in names}
    name = primary(*measured.values())
    found = {system: quoted(measures, name) for system, measures in measured.items()} if name else {}
    if not name or any(e is None or e["estimate"] is None or not 0 <= e["estimate"] <= 1 for e in found.values()):
        return None
    width, height, x0, x1, y0, y1 = 400.0, 300.0, 122.0, 282.0, 256.0, 22.0
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        y = between(tick, 0, 1, y0, y1)
        parts += [
            svg.line(36, y, 396, y),
            svg.text(28, y + 4, f"{tick * 100:.0f}", size=12, fill=svg.MUTED, anchor="end"),
        ]
    parts += [svg.text(x, y0 + 24, words, anchor="middle") for x, words in zip((x0, x1), COLUMNS, strict=True)]
    ends = []
    for weights, names in GRID:
        estimates = [found[system] for system in names]
        points = [(x, between(e["estimate"], 0, 1, y0, y1)) for x, e in zip((x0, x1), estimates, strict=True) if e]
        dash = "" if weights.startswith("tuned") else "5 4"
        parts.append(svg.line(*points[0], *points[1], svg.INK, 1.4, dash))
        for (x, y), system, e in zip(points, names, estimates, strict=True):
            hue = svg.colour(system, [])
            if e and e["low"] is not None and e["high"] is not None:
                parts.append(
                    svg.line(x, between(e["low"], 0, 1, y0, y1), x, between(e["high"], 0, 1, y0, y1), hue, 1.8)
                )
            parts.append(svg.circle(x, y, 4.5, hue))
        ends.append((points, names))
    sides: tuple[tuple[float, svg.Anchor], ...] = ((x0 - 12, "end"), (x1 + 12, "start"))
    for side, (x, anchor) in enumerate(sides):
        for y, (_, names) in zip(apart([points[side][1] for points, _ in ends], 16), ends, strict=True):
            parts.append(svg.text(x, y + 4, names[side], anchor=anchor))
    parts.append(svg.text(0, 10, f"{measure(name).label}, %", size=12, fill=svg.MUTED))
    told = "; ".join(f"{system} {numbers.with_interval(e)}" for system, e in found.items())
    return svg.figure(
        width, height, parts, title="Main effects and interaction", description=f"{measure(name).label}: {told}"
    )
