"""Kinds of values that facts have: how they are drawn, written, and found again in free text."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from bench.world.names import Namer

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
TIERS = ("bronze", "silver", "gold", "platinum", "diamond")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass(frozen=True)
class ValueKind:
    """A kind of value. ``pattern`` finds every value of the kind in a text; ``None`` where names are open."""

    name: str
    draw: Callable[[random.Random, Namer], str]
    pattern: re.Pattern[str] | None
    choices: int | None = None
    """How many different values there are, where they are few: a blind guess is right once in ``choices``."""

    def find(self, text: str) -> list[str]:
        """Every value of this kind that stands in ``text``, as written there."""
        return [match.group(0) for match in self.pattern.finditer(text)] if self.pattern else []


def _amount(rng: random.Random) -> int:
    """Amounts of two to four digits, none of them round: a round number could be guessed."""
    return rng.choice((rng.randint(11, 99), rng.randint(101, 999), rng.randint(1001, 9899)))


def _date(rng: random.Random) -> str:
    return f"{rng.randint(1, 28)} {rng.choice(MONTHS)} {rng.randint(2019, 2028)}"


def _code(rng: random.Random) -> str:
    letters = "ABCDEFGHKLMNPRSTVWXZ"
    return f"{rng.choice(letters)}{rng.choice(letters)}-{rng.randint(1000, 9999)}"


def _unit(low: int, high: int, unit: str) -> Callable[[random.Random, Namer], str]:
    return lambda rng, namer: f"{rng.randint(low, high)} {unit}"


def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(words) + r")\b")


KINDS: dict[str, ValueKind] = {
    kind.name: kind
    for kind in (
        ValueKind("money", lambda rng, _: f"{_amount(rng)} euros", re.compile(r"\b\d[\d,.]* euros?\b")),
        ValueKind("percent", _unit(3, 97, "percent"), re.compile(r"\b\d+(?: percent\b|\s?%)")),
        ValueKind("days", _unit(3, 120, "days"), re.compile(r"\b\d+ days?\b")),
        ValueKind("months", _unit(3, 96, "months"), re.compile(r"\b\d+ months?\b")),
        ValueKind("hours", _unit(2, 96, "hours"), re.compile(r"\b\d+ hours?\b")),
        ValueKind("seats", _unit(11, 990, "seats"), re.compile(r"\b\d+ seats?\b")),
        ValueKind("date", lambda rng, _: _date(rng), re.compile(r"\b\d{1,2} (?:" + "|".join(MONTHS) + r") \d{4}\b")),
        ValueKind("code", lambda rng, _: _code(rng), re.compile(r"\b[A-Z]{2}-\d{4}\b")),
        ValueKind("person", lambda _, namer: namer.person(), None),
        ValueKind("place", lambda _, namer: namer.word(3), None),
        ValueKind(
            "tier", lambda rng, _: rng.choice(TIERS), re.compile(r"\b(?:" + "|".join(TIERS) + r")\b"), len(TIERS)
        ),
        ValueKind(
            "weekday", lambda rng, _: rng.choice(DAYS), re.compile(r"\b(?:" + "|".join(DAYS) + r")\b"), len(DAYS)
        ),
    )
}
