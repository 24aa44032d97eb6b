"""Which of two systems is the cheaper, over the volume of calls and the rate of updates: a panel for each pair."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bench.reporting import svg

PANELS = 6
"""At most; pairs whose cheaper one depends on volume or updates come first."""
WIDTH, HEIGHT, GAP = 250.0, 196.0, 10.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 22.0, 44.0, 34.0


def surface_svg(cost: Mapping[str, Any]) -> str | None:
    """The break-even surfaces of an account; ``None`` where no pair's costs are known."""
    pairs = sorted(cost["surface"]["pairs"], key=lambda pair: len(_winners(pair)) == 1)[:PANELS]
    if not pairs:
        return None
    across = 3  # also where there are fewer: the page scales a figure to its width
    parts = []
    for number, pair in enumerate(pairs):
        x, y = (number % across) * (WIDTH + GAP), (number // across) * (HEIGHT + GAP)
        parts += _panel(pair, cost, x, y)
    width = across * (WIDTH + GAP) - GAP
    height = math.ceil(len(pairs) / across) * (HEIGHT + GAP) - GAP
    spoken = "; ".join(f"{pair['a']} or {pair['b']}: {_spoken(pair)}" for pair in pairs)
    return svg.figure(width, height, parts, title="The cheaper system by volume and updates", description=spoken)


def _winners(pair: Mapping[str, Any]) -> set[str]:
    """Who is the cheaper somewhere on the surface."""
    return {pair["a"] if cell < 0 else pair["b"] for line in pair["difference"] for cell in line if cell}


def _spoken(pair: Mapping[str, Any]) -> str:
    found = sorted(_winners(pair))
    return "it depends on volume and updates" if len(found) == 2 else f"{''.join(found) or 'neither'} at all shown"


def _panel(pair: Mapping[str, Any], cost: Mapping[str, Any], x: float, y: float) -> list[str]:
    volumes, updates = cost["surface"]["volumes"], cost["surface"]["updates_per_month"]
    left, right, top, bottom = x + LEFT, x + WIDTH - RIGHT, y + TOP, y + HEIGHT - BOTTOM
    row = (bottom - top) / len(updates)
    hues = {name: svg.colour(name, list(cost["systems"])) for name in (pair["a"], pair["b"])}
    middle = (left + right) / 2

    def place(volume: float) -> float:
        return svg.between(math.log(volume), math.log(volumes[0]), math.log(volumes[-1]), left, right)

    parts = []
    for name, start in ((pair["a"], left), (pair["b"], middle)):
        parts += [svg.circle(start + 5, y + 12, 4, hues[name]), svg.text(start + 14, y + 16, name, size=12)]
    for number, line in enumerate(pair["difference"]):
        high = bottom - (number + 1) * row
        ends = [left, *([place(zero)] if (zero := _zero(volumes, line)) is not None else []), right]
        for start, end, cell in zip(ends, ends[1:], (line[0], line[-1]), strict=False):
            hue = hues[pair["a"]] if cell < 0 else hues[pair["b"]] if cell > 0 else svg.RULE
            parts.append(svg.rect(start, high, end - start, row, hue, opacity=0.55))
    for volume in (value for value in volumes if math.log10(value) % 2 == 0):
        words = (
            f"{volume:.0f}" if volume < 1e3 else f"{volume / 1e3:.0f} k" if volume < 1e6 else f"{volume / 1e6:.0f} M"
        )
        parts.append(svg.text(place(volume), bottom + 15, words, size=11, fill=svg.MUTED, anchor="middle"))
    for number, rate in enumerate(updates):
        if rate in (0, 1, 10, 100, 1000):
            at = bottom - (number + 0.5) * row + 4
            parts.append(svg.text(left - 5, at, f"{rate:g}", size=11, fill=svg.MUTED, anchor="end"))
    own = cost["settings"]
    if own["volume"] is not None:
        up = bottom - (updates.index(own["updates_per_month"] or 0.0) + 0.5) * row
        parts.append(svg.circle(place(own["volume"]), up, 4, svg.INK, stroke=svg.PAPER))
    parts.append(svg.text(x, top - 8, "updates a month", size=11, fill=svg.MUTED))
    parts.append(svg.text(right, bottom + 30, "calls a month", size=11, fill=svg.MUTED, anchor="end"))
    return parts


def _zero(volumes: Sequence[float], line: Sequence[float]) -> float | None:
    """Where a row, which is linear in the volume, changes its sign; ``None`` where it does not."""
    if line[0] * line[-1] >= 0:
        return None
    return volumes[0] + (volumes[-1] - volumes[0]) * line[0] / (line[0] - line[-1])
