"""A text made false in its values: other numbers, dates and names, whatever it is about."""

from __future__ import annotations

import random
import re

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LETTERS = ("aeiou", "bcdfghjklmnpqrstvwxyz")

_WORD = re.compile(r"[^\W\d_]+")
_VALUE = re.compile(r"(?P<date>\b\d{4}-\d{2}-\d{2}\b)|(?P<number>\d+)|[^\W\d_]+")


def altered(text: str, keep: str = "", seed: str = "") -> str:
    """The text with its values replaced; the same value always by the same other one, for one ``seed``.

    A number becomes another of as many digits (up to 31 it stays a day of any month, from 1900 to 2099 a year nearby),
    a month or a weekday another one, and a capitalised word that opens no sentence or table row a made-up one of the
    same shape. Words of ``keep`` (whom the text is about, what was asked) stay, and so does what is said in common
    words.
    """
    kept = {word.casefold() for word in _WORD.findall(keep)}

    def other(match: re.Match[str]) -> str:
        found = match.group(0)
        rng = random.Random(f"{seed}\0{found}")
        if match["date"]:
            year, month, day = found.split("-")
            return f"{_number(year, rng)}-{_between(1, 12, int(month), rng):02d}-{_number(day, rng)}"
        if match["number"]:
            return _number(found, rng)
        for closed in (MONTHS, WEEKDAYS):
            if found in closed:
                return rng.choice([one for one in closed if one != found])
        if found[0].isupper() and found.casefold() not in kept and not _opens(text[: match.start()]):
            return "".join(_letter(letter, rng) for letter in found)
        return found

    return _VALUE.sub(other, text)


def _opens(before: str) -> bool:
    """Whether a sentence or a row begins after this text."""
    before = before.rstrip(" \t\"'(*#|-")
    return not before or before[-1] in ".!?\n"


def _number(digits: str, rng: random.Random) -> str:
    value, width = int(digits), len(digits)
    if width == 4 and 1900 <= value <= 2099:
        low, high = value - 9, value + 9
    else:
        significant = len(str(value))
        low, high = (0 if width > significant or width == 1 else 10 ** (width - 1)), 10**significant - 1
        if width <= 2 and 1 <= value <= 31:
            low, high = max(1, low), min(28, high)
    return str(_between(low, high, value, rng)).zfill(width)


def _between(low: int, high: int, taken: int, rng: random.Random) -> int:
    """A whole number from ``low`` to ``high`` that is not ``taken``."""
    inside = low <= taken <= high
    drawn = rng.randint(low, high - inside)
    return drawn + (inside and drawn >= taken)


def _letter(letter: str, rng: random.Random) -> str:
    """Another vowel for a vowel, another consonant for a consonant; a letter of neither kind stays."""
    low = letter.lower()
    for kind in LETTERS:
        if low in kind:
            drawn = rng.choice([one for one in kind if one != low])
            return drawn.upper() if letter.isupper() else drawn
    return letter
