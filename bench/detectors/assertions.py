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
from bench.metrics.text import THOUSANDS
from bench.world.values import MONTHS, TIERS
from systems.prompts import CITATION

NUMBER = r"(?<![\w.,-])\d+(?:[.,]\d+)*"
RANGE = rf"(between\s+{NUMBER}\s+and\s+{NUMBER}|{NUMBER}(?:\s*(?:-|–|—|/|\bto\b|\bor\b)\s*\d+(?:[.,]\d+)*)*)"
UNITS = {
    "money": ("euros", r"(?:euros?|eur|€)"),
    "percent": ("percent", r"(?:percent|per\s+cent|%)"),
    "days": ("days", r"days?"),
    "months": ("months", r"months?"),
    "hours": ("hours", r"(?:hours?|hrs?|h)"),
    "seats": ("seats", r"seats?"),
}
MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS)
DATES = (
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<m>{MONTH})\b\.?(?:,?\s+(?P<y>\d{{4}}))?", re.I),
    re.compile(rf"\b(?P<m>{MONTH})\b\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<y>\d{{4}}))?", re.I),
    re.compile(r"\b(?P<y>\d{4})-(?P<m>0[1-9]|1[0-2])-(?P<d>\d{2})\b"),
)
CODE = re.compile(r"\b(?:([A-Z]{2})[\s‐-—-]?|([A-Za-z]{2})[‐-—-]?)(\d{4})\b")
WEEKDAY = re.compile(r"\b((?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)s?\b", re.I)
TIER = re.compile(r"\b(" + "|".join(TIERS) + r")\b", re.I)
BARE = re.compile(
    rf"({NUMBER})(?=\s*(?:$|[.,;:!?)\]\"'](?!\w)|(?:for|per|in|as|and|or|of|is|was|at|each|according)\b))"
)
NOT_BARE = re.compile(r"\b[A-Z]{2,3}-\d+\b|\b(?:version|passage|section|page|document)\s+\d+\b", re.I)
"""Numbers that name something: ids, versions, passages."""

FILLER = r"(?:the|an?|be|been|being|is|was|in|on|at|by|to|equal|exactly|actually|really|of|set|called|named|longer)"
DENIED_BEFORE = re.compile(
    r"(?:(?:\b(?:not|never|cannot|neither|nor|no longer|rather than|instead of|other than|unlike|as opposed to)"
    rf"|n['’]t)\s+(?:{FILLER}\s+){{0,4}}[\"'“‘*(]*|\b(?:false|wrong|incorrect|untrue)\s+(?:that|to say)\b[^.;]*)$",
    re.I,
)
DENIED_AFTER = re.compile(
    r"^[\"'”’*)]*,?\s+(?:which\s+|that\s+)?(?:"
    r"(?:(?:is|was|are|were)\s+not|(?:is|was|are|were)n['’]t)\s+(?:the|its|their|right|correct|true|it|valid|accurate)\b"
    r"|(?:is|was|are|were|would be)\s+(?:wrong|incorrect|false|outdated|mistaken|no longer)\b"
    r"|no longer\b|does(?: not|n['’]t)\s+(?:apply|hold)\b)",
    re.I,
)
LINKED = re.compile(r"^\s*(?:,|/|,?\s*(?:or|nor|and))\s*(?:the\s+|an?\s+)?$", re.I)
NEAR = 300
"""Characters around a value in which it is denied."""
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
    bare = CITATION.sub(" ", text)
    ends = list(SENTENCE_END.finditer(bare))
    places = [end.start() for end in ends]
    asserted: list[str] = []
    denied: list[str] = []
    last: Mention | None = None
    last_denied = False
    for mention in mentions(bare, kind, known):
        linked = last is not None and LINKED.match(bare[last.end : mention.start]) is not None
        is_denied = (
            DENIED_BEFORE.search(bare[max(0, mention.start - NEAR) : mention.start]) is not None
            or DENIED_AFTER.match(bare[mention.end : mention.end + NEAR]) is not None
            or (linked and last_denied)
        )
        last, last_denied = mention, is_denied
        end = bisect_left(places, mention.end)
        if end < len(ends) and ends[end].group(0) == "?":
            continue
        (denied if is_denied else asserted).append(mention.value)
    return Claims(tuple(dict.fromkeys(asserted)), tuple(dict.fromkeys(denied)))


def mentions(text: str, kind: str, known: str = "") -> list[Mention]:
    """Every value of the kind in the text, in order. Where no number has its unit, bare ones are taken to be in it."""
    if kind in ("person", "place"):
        return [Mention(*found) for found in names(text, known, person=kind == "person")]
    found = list(READERS[kind](text)) or (list(_bare(text, UNITS[kind][0])) if kind in UNITS else [])
    return sorted(found, key=lambda mention: (mention.start, mention.end))


@lru_cache(maxsize=64)  # every field of a form is looked for in the same text
def values(text: str) -> frozenset[str]:
    """Values of every kind but open names and bare numbers, asserted or not."""
    return frozenset(mention.value for read in READERS.values() for mention in read(text))


def _amounts(text: str, kind: str) -> Iterator[Mention]:
    """Numbers with their unit."""
    unit, spelt = UNITS[kind]
    for match in re.finditer(rf"{RANGE}[\s-]*{spelt}(?!\w)", text, re.I):
        yield from _each(match, unit)
    if kind == "money":
        for match in re.finditer(r"(?:€|\beur)\s?(\d+(?:[.,]\d+)*)", text, re.I):
            yield from _each(match, unit)


def _bare(text: str, unit: str) -> Iterator[Mention]:
    """Numbers without a unit that are no part of an id or a date."""
    for pattern in (NOT_BARE, *DATES):
        text = pattern.sub(lambda match: " " * len(match.group(0)), text)
    for match in BARE.finditer(text):
        yield from _each(match, unit)


def _each(match: re.Match[str], unit: str) -> Iterator[Mention]:
    for number in re.findall(r"\d+(?:[.,]\d+)*", match.group(1)):
        plain = re.sub(r"\.0+$", "", THOUSANDS.sub("", number))
        yield Mention(f"{plain} {unit}", match.start(), match.end())


def _dates(text: str) -> Iterator[Mention]:
    for pattern in DATES:
        for match in pattern.finditer(text):
            month = match["m"]
            name = MONTHS[int(month) - 1] if month.isdigit() else next(m for m in MONTHS if m[:3] == month[:3].title())
            year = f" {match['y']}" if match["y"] else ""
            yield Mention(f"{int(match['d'])} {name}{year}", match.start(), match.end())


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
    **{kind: partial(_amounts, kind=kind) for kind in UNITS},
    "date": _dates,
    "code": _codes,
    "weekday": _weekdays,
    "tier": _tiers,
}
