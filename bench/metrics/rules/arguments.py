"""What the arguments of rules may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NewType, get_args

from bench.metrics.rules.language import languages

Relation = Literal["less than", "at least"]
Position = NewType("Position", int)
"""Counted from 1."""
Letter = NewType("Letter", str)
"""One character."""
Language = NewType("Language", str)
"""A code of ISO 639-1, or ``zh-cn`` and ``zh-tw``."""


def compare(count: int, relation: Relation, threshold: int) -> bool:
    """Whether there are less than, or at least, so many."""
    return count < threshold if relation == "less than" else count >= threshold


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(_is_text, value))


_KINDS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    int: ("a whole number, 0 or more", _is_count),
    Position: ("a whole number, 1 or more", lambda value: _is_count(value) and value > 0),
    str: ("a text that is not blank", _is_text),
    Sequence[str]: ("a list of texts, none of them blank", _are_texts),
    Relation: (" or ".join(map(repr, get_args(Relation))), lambda value: value in get_args(Relation)),
    Letter: ("one character", lambda value: _is_text(value) and len(value) == 1),
}
"""Type hint of an argument → what it has to be in words, and whether a value is that."""


def wanted(kind: Any) -> str:
    """What an argument with this type hint has to be."""
    return f"one of {', '.join(languages())}" if kind is Language else _KINDS[kind][0]


def fits(kind: Any, value: Any) -> bool:
    """Whether a value may be an argument with this type hint."""
    return value in languages() if kind is Language else _KINDS[kind][1](value)
