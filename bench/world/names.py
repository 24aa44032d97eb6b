"""Invented names, made of syllables so that none can be known beforehand or guessed from another."""

from __future__ import annotations

import random

ONSETS = (
    "b", "br", "c", "cl", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "kr", "l", "m", "n",
    "p", "pr", "qu", "r", "s", "sk", "sl", "st", "t", "tr", "v", "w", "y", "z", "zh",
)  # fmt: skip
VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
CODAS = ("", "", "", "l", "n", "r", "s", "m", "th", "x", "nd", "rk", "lt")


class Namer:
    """Draws names that differ from all it drew before."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def word(self, syllables: int | None = None) -> str:
        """One capitalised invented word, e.g. ``Zorvath``."""
        while True:
            count = syllables or self._rng.choice((2, 2, 3))
            text = "".join(
                self._rng.choice(ONSETS) + self._rng.choice(VOWELS) + (self._rng.choice(CODAS) if last else "")
                for last in [False] * (count - 1) + [True]
            )
            name = text.capitalize()
            if 4 <= len(name) <= 10 and name not in self._used:
                self._used.add(name)
                return name

    def person(self) -> str:
        """A first and a last name."""
        return f"{self.word(2)} {self.word(2)}"
