"""Quality against latency and cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bench.records import INVALID
from bench.reporting import numbers, svg
from bench.reporting.measures import measure, primary, quoted
from bench.reporting.pareto import invalid
from bench.reporting.svg import between


def scatter_svg(summary: Mapping[str, Any]) -> str | None:
    """Quality (up) against median latency (right), discs by cost per call; ``None`` where no latency was taken.

    A system whose load was invalid has a hollow point and says so.
    """
    systems = list(summary["systems"])
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    name = primary(*measured.values())
    points = []
    for system, measures in measured.items():
        quality, latency = (quoted(measures, key) if key else None for key in (name, "latency_e2e_p50"))
        if quality and latency and quality["estimate"] is not None and latency["estimate"] is not None:
            points.append((system, quality, latency, quoted(measures, "cost_per_call")))
    if not name or not points:
        return None
    width, height, x0, x1, y0, y1 = 440.0, 330.0, 44.0, 420.0, 272.0, 26.0
    scale = svg.ticks(max(float(latency["high"] or latency["estimate"]) for _, _, latency, _ in points) * 1.06)
    seconds = scale[-1]
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        y = between(tick, 0, 1, y0, y1)
        parts += [
            svg.line(x0, y, x1, y),
            svg.text(x0 - 8, y + 4, f"{tick * 100:.0f}", size=12, fill=svg.MUTED, anchor="end"),
        ]
    for tick in scale:
        parts.append(
            svg.text(
                between(tick, 0, seconds, x0, x1), y0 + 18, f"{tick * 1000:g}", size=12, fill=svg.MUTED, anchor="middle"
            )
        )
    dearest = max((float(cost["estimate"]) for *_, cost in points if cost and cost["estimate"]), default=0.0)
    spoken = []
    for system, quality, latency, cost in points:
        x, y = (
            between(float(latency["estimate"]), 0, seconds, x0, x1),
            between(float(quality["estimate"]), 0, 1, y0, y1),
        )
        hue = svg.colour(system, systems)
        share = float(cost["estimate"]) / dearest if cost and cost["estimate"] and dearest else 0.0
        parts.append(svg.circle(x, y, max(20 * math.sqrt(share), 4), hue, 0.18))
        if quality["low"] is not None and quality["high"] is not None:
            parts.append(
                svg.line(x, between(quality["low"], 0, 1, y0, y1), x, between(quality["high"], 0, 1, y0, y1), hue, 1.6)
            )
        if latency["low"] is not None and latency["high"] is not None:
            parts.append(
                svg.line(
                    between(latency["low"], 0, seconds, x0, x1),
                    y,
                    between(latency["high"], 0, seconds, x0, x1),
                    y,
                    hue,
                    1.6,
                )
            )
        hollow = invalid(measured[system])
        parts.append(svg.circle(x, y, 3.2, svg.PAPER if hollow else hue, stroke=hue))
        right, away = x > (x0 + x1) * 0.62, max(20 * math.sqrt(share), 4) + 2
        words = system if cost is None else f"{system}, {numbers.value(cost)}"
        if hollow and INVALID not in words:
            words += f", {INVALID}"
        parts.append(
            svg.text(
                x + (-away if right else away),
                y - away * 0.5,
                words,
                anchor="end" if right else "start",
                weight=600 if cost is None else 400,
            )
        )
        spoken.append(
            f"{system}: {measure(name).label} {numbers.with_interval(quality)}, median {numbers.with_interval(latency)}"
            + (f", {numbers.value(cost)} per 1,000 calls" if cost else "")
        )
    parts += [
        svg.text(0, 11, f"{measure(name).label}, %", size=12, fill=svg.MUTED),
        svg.text(x1, height - 16, "median end-to-end latency, ms", size=12, fill=svg.MUTED, anchor="end"),
    ]
    return svg.figure(width, height, parts, title="Quality, latency and cost", description="; ".join(spoken))
