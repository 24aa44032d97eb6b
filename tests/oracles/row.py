"""A line of the table: what an oracle expects, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure; finished words."""

    oracle: str
    what: str
    expected: str
    got: str
    ok: bool
    own: bool = False
    """Whether the expectation is this project's own: a figure of its reports, or a bound of its choice."""


def as_published_here(row: Row) -> Row:
    """A row whose expectation no third party published."""
    return replace(row, own=True)


def same(oracle: str, what: str, expected: str, got: str) -> Row:
    """Equal as printed."""
    return Row(oracle=oracle, what=what, expected=expected, got=got, ok=expected == got)


def near(oracle: str, what: str, expected: float, got: float, within: float) -> Row:
    """Equal but for ``within``."""
    told = f"{expected:.4f} ± {within:g}"
    return Row(oracle=oracle, what=what, expected=told, got=f"{got:.4f}", ok=abs(got - expected) <= within)


def above(oracle: str, what: str, bound: float, got: float) -> Row:
    """Above a baseline."""
    return Row(oracle=oracle, what=what, expected=f"> {bound:.3f}", got=f"{got:.3f}", ok=got > bound)
