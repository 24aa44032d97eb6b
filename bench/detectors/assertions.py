"""What a text asserts and what it denies: values of one kind, each in the form the world writes it.

``12 %``, ``12 per cent`` and ``12 percent`` are one value, so are ``May 3rd, 2024`` and ``2024-05-03``; a range
asserts both its ends. A denied value (``not 12 euros``) is no assertion, nor is one that stands in a question.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

from bench.detectors.names import names
from bench.metrics.dates import written
from bench.metrics.denial import denied_at
from bench.metrics.readable import readable
from bench.metrics.units import UNITS, Unit
from bench.metrics.values import values as found_values
from bench.world.values import TIERS
from systems.prompts import CITATION

UNIT_OF = {"money": "euros", **{kind: kind for kind in ("percent", "days", "months", "hours", "seats")}}
CODE = re.compile(r"\b(?:([A-Z]{2})[\s‐-—-]?|([A-Za-z]{2})[‐-—-]?)(\d{4})\b")
WEEKDAY = re.compile(r"\b((?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)s?\b", re.I)
TIER = re.compile(r"\b(" + "|".join(TIERS) + r")\b", re.I)
LINKED = re.compile(r"^\s*(?:,|/|,?\s*(?:or|nor|and))\s*(?:the\s+|an?\s+)?$", re.I)
SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")


@dataclass(frozen=True)
class Mention:
    """A value in a text: how the world would write it, and where it stands."""

    value: str
    start: int
    end: int


@dataclass(frozen=True)
class Claims:
    """Values that a text asserts and values that it denies, each once."""

    asserted: tuple[str, ...]
    denied: tuple[str, ...]


def claims(text: str, kind: str, known: str = "") -> Claims:
    """What the text says of a value of the kind. ``known``: words of the question, no names in them are answers."""
    bare = readable(CITATION.sub(" ", text))
    ends = list(SENTENCE_END.finditer(bare))
    places = [end.start() for end in ends]
    asserted: list[str] = []
    denied: list[str] = []
    last: Mention | None = None
    last_denied = False
    for mention in mentions(bare, kind, known):
        linked = last is not None and LINKED.match(bare[last.end : mention.start]) is not None
        is_denied = denied_at(bare, mention.start, mention.end) or (linked and last_denied)
        last, last_denied = mention, is_denied
        end = bisect_left(places, mention.end)
        if end < len(ends) and ends[end].group(0) == "?":
            continue
        (denied if is_denied else asserted).append(mention.value)
    return Claims(tuple(dict.fromkeys(asserted)), tuple(dict.fromkeys(denied)))


def mentions(text: str, kind: str, known: str = "") -> list[Mention]:
    """Every value of the kind in a text that is ``readable``, in order."""
    if kind in ("person", "place"):
        return [Mention(*found) for found in names(text, known, person=kind == "person")]
    return sorted(READERS[kind](text), key=lambda mention: (mention.start, mention.end))


@lru_cache(maxsize=64)  # every field of a form is looked for in the same text
def values(text: str) -> frozenset[str]:
    """Values of every kind but open names and bare numbers, asserted or not, each in one way of writing."""
    text = readable(text)
    units = {UNITS[name].dimension for name in UNIT_OF.values()}
    held = (one for one in found_values(text).quantities if one.unit and one.unit.dimension in units)
    others = (mention.value for kind in READERS.keys() - UNIT_OF.keys() for mention in READERS[kind](text))
    return frozenset((*(f"{one.size.normalize():f} {one.unit.dimension}" for one in held if one.unit), *others))


def _amounts(text: str, unit: Unit) -> Iterator[Mention]:
    """Quantities in the unit, and numbers without one where no number has it."""
    for one in found_values(text).of(unit):
        yield Mention(f"{(one.size / unit.factor).normalize():f} {unit.name}", one.start, one.end)


def _dates(text: str) -> Iterator[Mention]:
    for date in found_values(text).dates:
        yield Mention(written(date) or text[date.start : date.end], date.start, date.end)


def _codes(text: str) -> Iterator[Mention]:
    for match in CODE.finditer(text):
        yield Mention(f"{(match[1] or match[2]).upper()}-{match[3]}", match.start(), match.end())


def _weekdays(text: str) -> Iterator[Mention]:
    for match in WEEKDAY.finditer(text):
        yield Mention(match[1].title(), match.start(), match.end())


def _tiers(text: str) -> Iterator[Mention]:
    for match in TIER.finditer(text):
        yield Mention(match[1].lower(), match.start(), match.end())


READERS: dict[str, Callable[[str], Iterator[Mention]]] = {
    **{kind: partial(_amounts, unit=UNITS[name]) for kind, name in UNIT_OF.items()},
    "date": _dates,
    "code": _codes,
    "weekday": _weekdays,
    "tier": _tiers,
}
