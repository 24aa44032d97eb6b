"""IFEval's rules on the whole of an answer: how it begins and ends, its language, its letters."""

from __future__ import annotations

from bench.metrics.rules.arguments import Language, Relation, compare
from bench.metrics.rules.counting import count_capital_words
from bench.metrics.rules.language import in_language


def two_responses(text: str) -> bool:
    """Two different answers, with ``******`` between them."""
    pieces = [piece.strip() for piece in text.split("******")]
    given = [piece for piece in pieces if piece]
    return all(pieces[1:-1]) and len(given) == 2 and given[0] != given[1]


def repeat_prompt(text: str, *, prompt_to_repeat: str) -> bool:
    """The text begins with the prompt, word for word."""
    return begins_with(text, phrase=prompt_to_repeat)


def begins_with(text: str, *, phrase: str) -> bool:
    """The text begins with the phrase; letter case does not matter."""
    return text.strip().lower().startswith(phrase.strip().lower())


def end_checker(text: str, *, end_phrase: str) -> bool:
    """The text ends with the phrase; double quotation marks around it all and letter case do not matter."""
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def quotation(text: str) -> bool:
    """The text stands in double quotation marks."""
    text = text.strip()
    return len(text) > 1 and text[0] == text[-1] == '"'


def response_language(text: str, *, language: Language) -> bool:
    """The text is in this language."""
    return in_language(text, language)


def english_capital(text: str) -> bool:
    """English without small letters."""
    return text.isupper() and in_language(text, "en")


def english_lowercase(text: str) -> bool:
    """English without capital letters."""
    return text.islower() and in_language(text, "en")


def capital_word_frequency(text: str, *, capital_frequency: int, capital_relation: Relation) -> bool:
    """Less than, or at least, so many words without small letters."""
    return compare(count_capital_words(text), capital_relation, capital_frequency)


def no_comma(text: str) -> bool:
    """No comma."""
    return "," not in text
