"""Values in free text, compared by what they are: ``$1,000`` is ``1000.00 dollars``, ``2 years`` are ``24 months``.

A reference is compared so where all of it is one number, quantity or date; "Boeing 747" and "12 Angry Men" are names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from bench.metrics.dates import Date, dates
from bench.metrics.readable import readable
from bench.metrics.units import CURRENCIES, SCALES, SHORT_SCALES, SPELT, UNITS, Unit, unit

NUMBER = re.compile(
    r"""(?<![\w.,])(?<![^\W\d_]-)(?<!\d:)         # no part of a code or of a time of day
        (?>\d{1,3}(?:[ ]\d{3})+(?!\d)|\d+(?:[.,]\d+)*|\.\d+)
        (?!:\d|-[^\W\d_](?![^\W\d_]))""",
    re.VERBOSE,
)
BEFORE = re.compile(rf"((?<![\w)])[-+])?(?:({CURRENCIES})\s?)?((?<![\w)])[-+])?$", re.I)
AFTER = re.compile(
    rf"(?:[\s-]*({'|'.join(SCALES)})s?(?!\w)|({'|'.join(SHORT_SCALES)})(?!\w))?(?:[\s-]*({SPELT})(?!\w))?", re.I
)
MONEY_AFTER = re.compile(rf"\s?({'|'.join(SHORT_SCALES)})(?!\w)", re.I)
ALONE = re.compile(r"\s*(?:$|[.,;:!?)\]\"'*|](?!\w)|(?:for|per|in|as|and|or|of|is|was|at|each|according)\b)")
NAMED = re.compile(r"\b(?:(version)|passage|section|page|document)\s+$", re.I)
"""What numbers name instead of counting."""
JOINED = re.compile(r"\s*(-|/|\bto\b|\bor\b|\band\b)\s*", re.I)
AND = re.compile(r",?\s*(?:and\s+)?", re.I)
BETWEEN = re.compile(r"\bbetween\s+$", re.I)
GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?|[1-9]\d{0,2}(?: \d{3})+")
POINTS_GROUP = re.compile(r"[1-9]\d{0,2}(?:\.\d{3}){2,}(?:,\d+)?|[1-9]\d{0,2}(?:\.\d{3})+,\d+|\d+,\d+")
LONGEST = 20
"""Digits of a number, at most: what is longer is no amount."""


@dataclass(frozen=True)
class Quantity:
    """A number, its unit if it has one of ``UNITS``, and where they stand."""

    start: int
    end: int
    count: Decimal
    unit: Unit | None = None
    alone: bool = False
    """It has no unit, and nothing after it says what it counts: it may be in the unit that was asked for."""
    ranged: bool = False
    """An end of a range, which says neither of its ends."""
    digits: str = ""
    """As written."""
    version: bool = False
    """It names a version, of which 2.1 and 2.10 are two."""

    @property
    def size(self) -> Decimal:
        """In the smallest unit of its dimension."""
        return self.count * (self.unit.factor if self.unit else 1)

    def counts(self, wanted: Quantity) -> bool:
        """Whether it is the number that the other is, whatever it is a number of; 20 % is not 20."""
        as_written = not self.version or self.digits == wanted.digits
        return self.count == wanted.count and as_written and not self.ranged and self.unit is not UNITS["percent"]


@dataclass(frozen=True)
class Values:
    """What a text holds."""

    quantities: tuple[Quantity, ...] = ()
    dates: tuple[Date, ...] = ()

    def of(self, unit: Unit) -> list[Quantity]:
        """Quantities of the unit's dimension, in order; where there is none, bare numbers, which the question gave
        their unit. A bare number is never percent."""
        found = [one for one in self.quantities if one.unit and one.unit.dimension == unit.dimension]
        bare = not found and unit is not UNITS["percent"]
        return [replace(one, unit=unit) for one in self.quantities if one.alone] if bare else found


@lru_cache(maxsize=4096)
def whole_value(text: str) -> Quantity | Date | None:
    """The one value that all of the text is; ``None`` where it is anything else. A leading zero makes it a code."""
    text = readable(text).strip().rstrip(".")
    if not any(map(str.isdigit, text)) or re.match(r"0\d", text):
        return None
    held = values(text)
    whole: tuple[Date | Quantity, ...] = (*held.dates, *(one for one in held.quantities if not one.ranged))
    return next((one for one in whole if (one.start, one.end) == (0, len(text))), None)


def places(text: str, wanted: Quantity | Date) -> list[tuple[int, int]]:
    """Where the text, which is ``readable``, holds the value. A number without a unit counts in any but percent."""
    held = values(text)
    if isinstance(wanted, Date):
        found: Iterable[Date | Quantity] = (one for one in held.dates if one.states(wanted))
    elif wanted.unit is None:
        found = (one for one in held.quantities if one.counts(wanted))
    else:
        found = (one for one in held.of(wanted.unit) if not one.ranged and one.size == wanted.size)
    return [(one.start, one.end) for one in found]


@lru_cache(maxsize=256)  # measures look for several values in the same answer
def values(text: str) -> Values:
    """Every date and quantity in a text that is ``readable``, in order."""
    if not any(map(str.isdigit, text)):
        return Values()
    days = dates(text)
    letters = list(text)
    for day in days:
        letters[day.start : day.end] = "_" * (day.end - day.start)
    rest = "".join(letters)
    found: list[Quantity] = []
    for match in NUMBER.finditer(rest):
        if (one := _quantity(rest, match)) is not None:
            found[-1:] = _summed(rest, found[-1], one) if found else [one]
    for at in range(len(found) - 1):
        found[at], found[at + 1] = _joined(rest, found[at], found[at + 1])
    years = [Quantity(*day.year, Decimal(text[slice(*day.year)])) for day in days if day.year]
    return Values(tuple(sorted((*found, *years), key=lambda one: one.start)), tuple(days))


def _quantity(text: str, match: re.Match[str]) -> Quantity | None:
    count = _number(match.group(0))
    before = BEFORE.search(text, max(0, match.start() - 6), match.start())
    after = AFTER.match(text, match.end())
    assert before is not None
    assert after is not None
    if count is None:
        return None
    scale, short, spelt = after.groups()
    end = after.end()
    power = SCALES[scale.lower()] if scale else 0
    if before[2] and not scale and (money := MONEY_AFTER.match(text, match.end())):
        power, end = SHORT_SCALES[money[1].lower()], money.end()
    elif short:
        if short.lower() != "k":
            spelt, end = ("m", after.end(2)) if short == "m" else (None, match.end())
        else:
            power = 3
    if text[end : end + 1].isalnum():
        return None  # 42nd, 5G, 1990s
    named = NAMED.search(text, max(0, match.start() - 12), match.start())
    kind = unit(before[2] or spelt) if before[2] or spelt else None
    return Quantity(
        start=before.start(),
        end=end,
        count=count.scaleb(power) * (-1 if "-" in (before[1], before[3]) else 1),
        unit=kind,
        alone=kind is None and named is None and ALONE.match(text, end) is not None,
        digits=match.group(0),
        version=bool(named and named[1]),
    )


def _summed(text: str, one: Quantity, two: Quantity) -> list[Quantity]:
    """The two as one where they are: "1 year and 6 months"."""
    larger = one.unit and two.unit and one.unit.dimension == two.unit.dimension and one.unit.factor > two.unit.factor
    if two.unit and larger and AND.fullmatch(text, one.end, two.start):
        return [replace(two, start=one.start, count=(one.size + two.size) / two.unit.factor)]
    return [one, two]


def _number(digits: str) -> Decimal | None:
    """English by preference: 1.734 has three decimals, 1.734.000 and 12,5 are written as elsewhere."""
    if len(digits) > LONGEST:
        return None
    if GROUPED.fullmatch(digits):
        digits = digits.replace(",", "").replace(" ", "")
    elif POINTS_GROUP.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    return Decimal(digits) if re.fullmatch(r"\d*\.?\d+", digits) else None


def _joined(text: str, one: Quantity, two: Quantity) -> tuple[Quantity, Quantity]:
    """Two numbers that share the unit of the second ("3 or 5 days"), and are the ends of a range or not."""
    link = None if one.unit and one.unit != two.unit else JOINED.fullmatch(text, one.end, two.start)
    if link is None:
        return one, two
    word = link[1].lower()
    borrowed = one.unit is None and two.unit is not None
    if word == "and" and not BETWEEN.search(text, max(0, one.start - 12), one.start):
        return one, two
    if borrowed:
        one = replace(one, unit=two.unit, alone=False)
    # "Raised from 24 months to 36 months" says the second.
    if word in "-/" or (word != "or" and borrowed):
        one = replace(one, end=two.end, ranged=True, alone=False)
        two = replace(two, start=one.start, ranged=True, alone=False)
    return one, two
