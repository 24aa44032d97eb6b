"""A few SVG helpers: shapes as strings, everything escaped, colours as CSS variables with a fallback.

The variables are set by ``template/report.css`` for the light and the dark scheme; where an SVG stands
alone (a README), the fallbacks are the light scheme.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Literal

INK, MUTED, RULE, PAPER = "var(--ink,#1c1c1e)", "var(--muted,#5c6066)", "var(--rule,#d9d9d6)", "var(--paper,#ffffff)"
_NAMED = {"prompt": 0, "rag": 1, "finetuned": 2, "hybrid": 3}
HUES = ("#646a73", "#1f66ad", "#a9560b", "#7a3a99", "#1b7837", "#9a1750", "#00707a", "#7a6a00")
"""The light scheme's colours: the four systems of the grid, then those a user adds."""

FONT = "var(--sans,-apple-system,'Segoe UI',Roboto,'Liberation Sans',Arial,sans-serif)"

Anchor = Literal["start", "middle", "end"]


def slot(system: str, systems: Sequence[str]) -> int:
    """Which colour a system has: fixed for the four of the grid, in order for others."""
    if system in _NAMED:
        return _NAMED[system]
    others = [name for name in systems if name not in _NAMED]
    return len(_NAMED) + others.index(system) % (len(HUES) - len(_NAMED))


def colour(system: str, systems: Sequence[str]) -> str:
    """The CSS colour of a system's marks."""
    index = slot(system, systems)
    return f"var(--system-{index},{HUES[index]})"


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = RULE, width: float = 1, dash: str = "") -> str:
    """A straight line."""
    dashes = f";stroke-dasharray:{dash}" if dash else ""
    style = f"stroke:{stroke};stroke-width:{width:g};stroke-linecap:butt{dashes}"
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" style="{style}"/>'


def circle(x: float, y: float, radius: float, fill: str, opacity: float = 1, stroke: str = "none") -> str:
    """A disc."""
    style = f"fill:{fill};fill-opacity:{opacity:g};stroke:{stroke}"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" style="{style}"/>'


def rect(x: float, y: float, width: float, height: float, fill: str, stroke: str = "none", opacity: float = 1) -> str:
    """A rectangle."""
    style = f"fill:{fill};fill-opacity:{opacity:g};stroke:{stroke}"
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" style="{style}"/>'


def text(
    x: float, y: float, words: str, *, size: float = 13, fill: str = INK, anchor: Anchor = "start", weight: int = 400
) -> str:
    """A line of text on its baseline."""
    style = f"font-size:{size:g}px;font-weight:{weight};fill:{fill};text-anchor:{anchor}"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(words)}</text>'


def figure(width: float, height: float, parts: Sequence[str], *, title: str, description: str) -> str:
    """A whole figure with its text alternative."""
    style = f"font-family:{FONT};font-variant-numeric:tabular-nums"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(f"{title}. {description}")}" style="{style}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def ornament(width: float, height: float, parts: Sequence[str], name: str) -> str:
    """A small drawing beside numbers that say the same: hidden from screen readers."""
    return (
        f'<svg class="{escape(name)}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def ticks(high: float, most: int = 5) -> list[float]:
    """Round values from 0 to at least ``high``, at most ``most`` steps apart."""
    if high <= 0:
        return [0.0, 1.0]
    power = 10.0
    while power > high:
        power /= 10
    while power * 10 <= high:
        power *= 10
    step = next(s * power for s in (0.1, 0.2, 0.5, 1, 2, 5, 10) if high / (s * power) <= most)
    count = int(high / step - 1e-9) + 1
    return [round(i * step, 12) for i in range(count + 1)]


def between(number: float, low: float, high: float, start: float, end: float) -> float:
    """Where a number of ``low`` to ``high`` lies between ``start`` and ``end``."""
    return start + (end - start) * (number - low) / (high - low)


def apart(places: list[float], least: float) -> list[float]:
    """The places, moved apart where labels would overlap; at most a few of them."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for before, after in pairwise(order):
        if moved[after] - moved[before] < least:
            middle = (moved[after] + moved[before]) / 2
            moved[before], moved[after] = middle - least / 2, middle + least / 2
    return moved
