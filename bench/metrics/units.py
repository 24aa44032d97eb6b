"""Units of measurement that values are compared in. What is not listed is a word like any other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache


@dataclass(frozen=True)
class Unit:
    """It is ``factor`` of its dimension's smallest. ``spelt``: a pattern, read without regard to case."""

    name: str
    dimension: str
    factor: Decimal
    spelt: str


UNITS: dict[str, Unit] = {
    name: Unit(name, dimension, Decimal(factor), spelt)
    for name, dimension, factor, spelt in (
        ("percent", "share", 1, r"percent|per\s+cent|pct|%"),
        ("euros", "euro", 1, r"euros?|eur|€"),
        ("dollars", "dollar", 1, r"(?:us\s?|u\.s\.\s?)?(?:dollars?|\$)|usd"),
        ("pounds", "pound sterling", 1, r"pounds?\s+sterling|gbp|£"),
        ("yen", "yen", 1, r"yen|jpy|¥"),
        ("francs", "swiss franc", 1, r"swiss\s+francs?|chf"),
        ("seconds", "time", 1, r"seconds?|secs?"),
        ("minutes", "time", 60, r"minutes?|mins?"),
        ("hours", "time", 3600, r"hours?|hrs?|(?-i:h)"),
        ("days", "time", 86_400, r"days?"),
        ("weeks", "time", 604_800, r"weeks?"),
        # A month has no fixed number of days.
        ("months", "months", 1, r"months?"),
        ("years", "months", 12, r"years?|yrs?"),
        ("milligrams", "mass", 1, r"milligram(?:me)?s?|mg"),
        ("grams", "mass", 1000, r"gram(?:me)?s?|(?-i:g)"),
        ("kilograms", "mass", 1_000_000, r"kilogram(?:me)?s?|kilos?|kgs?"),
        ("tonnes", "mass", 1_000_000_000, r"tonnes?|metric\s+tons?"),
        ("millimetres", "length", 1, r"millimet(?:re|er)s?|mm"),
        ("centimetres", "length", 10, r"centimet(?:re|er)s?|cm"),
        ("metres", "length", 1000, r"met(?:re|er)s?|(?-i:m)"),
        ("kilometres", "length", 1_000_000, r"kilomet(?:re|er)s?|kms?"),
        ("millilitres", "volume", 1, r"millilit(?:re|er)s?|ml"),
        ("litres", "volume", 1000, r"lit(?:re|er)s?|(?-i:l)"),
        ("kilobytes", "data", 1, r"kilobytes?|kb"),
        ("megabytes", "data", 1000, r"megabytes?|mb"),
        ("gigabytes", "data", 1_000_000, r"gigabytes?|gb"),
        ("terabytes", "data", 1_000_000_000, r"terabytes?|tb"),
        ("seats", "seats", 1, r"seats?"),
    )
}
SPELT = "|".join(unit.spelt for unit in UNITS.values())
CURRENCIES = r"(?<![a-z])(?:us\s?)?\$|[€£¥]|(?<![a-z])(?:eur|usd|gbp|jpy|chf)"
"""What stands before its number."""
SCALES = {"hundred": 2, "thousand": 3, "million": 6, "mn": 6, "billion": 9, "bn": 9, "trillion": 12}
SHORT_SCALES = {"k": 3, "m": 6, "b": 9, "t": 12}
"""Letters right behind a number; all but the first only of money: "5 m" are metres."""


@lru_cache(maxsize=256)
def unit(spelt: str) -> Unit:
    """The unit that is written so; one of ``SPELT`` or ``CURRENCIES``."""
    return next(one for one in UNITS.values() if re.fullmatch(one.spelt, spelt, re.I))
