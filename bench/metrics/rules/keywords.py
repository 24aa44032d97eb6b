"""IFEval's rules on keywords. They are taken as they are written, never as patterns; letter case does not matter."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.metrics.rules.arguments import Letter, Relation, compare


def existence(text: str, *, keywords: Sequence[str]) -> bool:
    """All of them stand in the text, be it inside a word."""
    return all(_count(text, keyword) for keyword in keywords)


def frequency(text: str, *, keyword: str, frequency: int, relation: Relation) -> bool:
    """It stands so often in the text, places inside words included."""
    return compare(_count(text, keyword), relation, frequency)


def forbidden_words(text: str, *, forbidden_words: Sequence[str]) -> bool:
    """None of them stands in the text as a word of its own."""
    return not any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) for word in forbidden_words)


def letter_frequency(text: str, *, letter: Letter, let_frequency: int, let_relation: Relation) -> bool:
    """The letter (or another character, as "!") stands so often in the text."""
    return compare(text.lower().count(letter.lower()), let_relation, let_frequency)


def _count(text: str, keyword: str) -> int:
    return len(re.findall(re.escape(keyword), text, re.IGNORECASE))
