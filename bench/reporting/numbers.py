"""Numbers as a reader meets them: few digits, the unit beside them, an interval in the same unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bench.records import INVALID

SPACE = "\u00a0"
MINUS = "\u2212"
CURRENCY = {"USD": "$", "EUR": "€", "GBP": "£"}
SHARES = frozenset({"share", "proportion", "rate", "fraction"})
SECONDS = frozenset({"s", "second", "seconds"})
PLAIN = frozenset({"", "mean", "score", "1", "ratio"})


def share_digits(value: float) -> int:
    """Decimals of a percentage: none between 10 % and 99 %, one nearer the ends."""
    percent = abs(value) * 100
    return 0 if percent in (0, 100) or 10 <= percent <= 99 else 1


def bare(value: float, unit: str, like: float | None = None) -> str:
    """The number without its unit, to the digits that suit ``like`` (by default, itself)."""
    like = value if like is None else like
    if unit in SHARES:
        return f"{value * 100:.{share_digits(like)}f}".replace("-", MINUS)
    if unit in SECONDS:
        return _milliseconds(value, like) if abs(like) < 1 else f"{value:.2f}"
    if unit in PLAIN:
        return f"{value:.2f}".replace("-", MINUS)
    if currency(unit):
        return _money(value, like)
    return f"{value:,.{_decimals(like, 3)}f}".replace("-", MINUS)


def _money(value: float, like: float) -> str:
    return f"{value:,.{2 if abs(like) >= 1 else _decimals(like, 2)}f}".replace("-", MINUS)


def _decimals(like: float, significant: int) -> int:
    """Decimals that give ``like`` so many significant figures; none for whole numbers."""
    if like == 0 or float(like).is_integer():
        return 0
    return max(0, significant - 1 - math.floor(math.log10(abs(like))))


def _milliseconds(value: float, like: float) -> str:
    return f"{value * 1000:.{0 if abs(like) >= 0.01 else 1}f}"


def currency(unit: str) -> str | None:
    """The sign of a currency unit such as ``USD`` or ``USD/call``, or ``None``."""
    return CURRENCY.get(unit.split("/")[0].split(" ")[0])


def with_unit(text: str, unit: str, like: float) -> str:
    """A bare number with its unit: ``81 %``, ``420 ms``, ``$0.0012``, ``3.1 1/s``."""
    if unit in SHARES:
        return f"{text}{SPACE}%"
    if unit in SECONDS:
        return f"{text}{SPACE}{'ms' if abs(like) < 1 else 's'}"
    if unit in PLAIN:
        return text
    if sign := currency(unit):
        return f"{sign}{text}"
    return f"{text}{SPACE}{unit}"


def value(estimate: Mapping[str, Any] | None) -> str:
    """An estimate's number with its unit, marked where its load was invalid; a dash where there is none."""
    if estimate is None or estimate["estimate"] is None:
        return "–"
    number = float(estimate["estimate"])
    told = with_unit(bare(number, estimate["unit"]), estimate["unit"], number)
    return f"{told}{SPACE}{INVALID}" if invalid(estimate) else told


def invalid(estimate: Mapping[str, Any]) -> bool:
    """Whether it was measured while the client could not keep up, or rests on what was."""
    return INVALID in str(estimate.get("mode") or "")


def interval(estimate: Mapping[str, Any] | None) -> str:
    """An estimate's interval in its unit, ``76–85``; empty where it has none."""
    if estimate is None or None in (estimate["estimate"], estimate["low"], estimate["high"]):
        return ""
    number, unit = float(estimate["estimate"]), estimate["unit"]
    return f"{bare(float(estimate['low']), unit, number)}–{bare(float(estimate['high']), unit, number)}"


def with_interval(estimate: Mapping[str, Any] | None) -> str:
    """``81 % (76–85)``."""
    between = interval(estimate)
    return f"{value(estimate)} ({between})" if between else value(estimate)


def difference(number: float, unit: str, *, sign: bool = True) -> str:
    """A difference, signed: ``+12 points`` for shares, in the unit otherwise."""
    number = _without_noise(number)
    mark = (MINUS if number < 0 else "+") if sign else ""
    size = abs(number)
    if unit in SHARES:
        return f"{mark}{_points(size)}{SPACE}points"
    return mark + with_unit(bare(size, unit), unit, size)


def difference_interval(low: float, high: float, unit: str, *, sign: bool = True) -> str:
    """``+5 to +19``, for shares in points. ``sign``: write the plus, too."""

    low, high = _without_noise(low), _without_noise(high)

    def end(number: float) -> str:
        mark = MINUS if number < 0 else "+" if sign else ""
        return mark + (_points(abs(number)) if unit in SHARES else bare(abs(number), unit, max(abs(low), abs(high))))

    return f"{end(low)} to {end(high)}"


def _without_noise(number: float) -> float:
    """What floating point left of a difference of nothing is nothing."""
    return 0.0 if abs(number) < 1e-9 else number


def _points(size: float) -> str:
    points = size * 100
    return f"{points:.0f}" if points >= 1.95 or points < 0.05 else f"{points:.1f}"


def p_value(number: float | None) -> str:
    """A p-value to two figures, or ``< 0.001``."""
    if number is None:
        return "–"
    return "<\u00a00.001" if number < 0.001 else f"{number:.3f}" if number < 0.1 else f"{number:.2f}"
