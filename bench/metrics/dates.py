"""Days of the calendar in free text, however they are written."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bench.world.values import MONTHS

MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS)
DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"(?:\s*,?[\s-]+(?P<y>\d{4})\b)?"
WRITTEN = (
    re.compile(rf"\b{DAY}(?:\s+of)?[\s-]+(?P<m>{MONTH})\b\.?{YEAR}", re.I),
    re.compile(rf"\b(?P<m>{MONTH})\b\.?\s+(?:the\s+)?{DAY}\b{YEAR}", re.I),
)
YEAR_FIRST = re.compile(r"(?<![\w/.-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:T[\d:.]+Z?)?(?![\w/-]|\.\d)")
YEAR_LAST = re.compile(r"(?<![\w/.-])(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?![\w/-]|\.\d)")

Day = tuple[int | None, int, int]
"""Year where it is given, month, day."""


@dataclass(frozen=True)
class Date:
    """A day and where it stands. ``days``: its readings; 03/04/2026 is both 3 April and March 4."""

    start: int
    end: int
    days: tuple[Day, ...]
    year: tuple[int, int] | None = None
    """Where the year stands, in a date with the month's name."""

    def states(self, wanted: Date) -> bool:
        """Whether a reading of it gives all that a reading of the other gives; either reading of each counts."""
        return any(mine[1:] == other[1:] and other[0] in (None, mine[0]) for mine in self.days for other in wanted.days)


def dates(text: str) -> list[Date]:
    """Every date in the text that the calendar has."""
    return [date for date in _found(text) if date.days]


def _found(text: str) -> Iterator[Date]:
    for pattern in WRITTEN:
        for match in pattern.finditer(text):
            month = next(at for at, name in enumerate(MONTHS, 1) if name[:3] == match["m"][:3].title())
            year = int(match["y"]) if match["y"] else None
            days = _real((year, month, int(match["d"])))
            yield Date(match.start(), match.end(), days, match.span("y") if year else None)
    for match in YEAR_FIRST.finditer(text):
        yield Date(match.start(), match.end(), _real((int(match[1]), int(match[3]), int(match[4]))))
    for match in YEAR_LAST.finditer(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        # With dots the day comes first wherever dates are written so.
        readings = [(year, second, first)] if match[2] == "." else [(year, second, first), (year, first, second)]
        yield Date(match.start(), match.end(), _real(*readings))


def _real(*days: Day) -> tuple[Day, ...]:
    found = []
    for year, month, day in days:
        try:
            datetime.date(year or 2000, month, day)  # a leap year: 29 February may be meant
        except ValueError:
            continue
        found.append((year, month, day))
    return tuple(dict.fromkeys(found))


def written(date: Date) -> str | None:
    """``3 March 2024``, or ``3 March``; ``None`` where it can be read in two ways."""
    if len(date.days) > 1:
        return None
    year, month, day = date.days[0]
    return f"{day} {MONTHS[month - 1]}{f' {year}' if year else ''}"
