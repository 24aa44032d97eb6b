"""What an answer denies, and what it leaves open: neither is said by it."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from bench.metrics.readable import readable
from bench.metrics.text import contains, wanted_tokens
from bench.metrics.units import Unit
from bench.metrics.values import Quantity, places, values, whole_value

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
NEAR = 300
"""Characters around a value in which it is denied."""
OR = re.compile(r"\s*[,(]?\s*(?:or|/)\s+(?:the\s+|an?\s+)?", re.I)
POLARITY = re.compile(r"\byes\b|^\W*no\b|\bno\b(?!\.?\s*\d)(?=\s*(?:[^\w\s]|$))", re.I)
"""Elsewhere than at the start, "no" before a word says what there is none of."""


def denied_at(text: str, start: int, end: int) -> bool:
    """Whether the text, which is ``readable``, denies what stands there: "not X", "X is wrong"."""
    return (
        DENIED_BEFORE.search(text[max(0, start - NEAR) : start]) is not None
        or DENIED_AFTER.match(text[end : end + NEAR]) is not None
    )


@lru_cache(maxsize=64)  # several measures ask whether the same answer is right
def says(answer: str, value: str) -> bool:
    """Whether the answer holds the value and means it.

    It does not where it denies it each time, or offers another quantity beside it ("24 months or 36"). Of yes and no
    the first counts.
    """
    polarity = value.strip().rstrip(".").casefold()
    if polarity in ("yes", "no"):
        first = POLARITY.search(readable(answer))
        return first is not None and first.group(0).strip().casefold().endswith(polarity)
    if not contains(answer, value):
        return False
    text, sought = readable(answer), whole_value(value)
    if isinstance(sought, Quantity) and sought.unit and _left_open(text, sought, sought.unit):
        return False
    found = places(text, sought) if sought else _standing(text, value)
    return not found or not all(denied_at(text, start, end) for start, end in found)


def _standing(text: str, value: str) -> list[tuple[int, int]]:
    """Where a value's words stand; none where the text writes them otherwise."""
    words = r"\W*".join(map(re.escape, wanted_tokens(value)))
    return [match.span() for match in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.I)]


def _left_open(text: str, sought: Quantity, unit: Unit) -> bool:
    """Whether "or" stands between the quantity and another of its kind."""
    return any(
        sought.size in (one.size, two.size) and one.size != two.size and OR.fullmatch(text, one.end, two.start)
        for one, two in pairwise(values(text).of(unit))
    )
