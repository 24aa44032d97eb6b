"""All rules by name: the 25 of IFEval under their own names, and those of a style guide as ``style:...``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_type_hints

from bench.metrics.rules import content, keywords, length, shape, style
from bench.metrics.rules.arguments import fits, wanted
from bench.metrics.rules.language import languages
from systems.base import UserError

Holds = Callable[..., bool]

RULES: dict[str, Holds] = {
    "keywords:existence": keywords.existence,
    "keywords:frequency": keywords.frequency,
    "keywords:forbidden_words": keywords.forbidden_words,
    "keywords:letter_frequency": keywords.letter_frequency,
    "language:response_language": shape.response_language,
    "length_constraints:number_sentences": length.number_sentences,
    "length_constraints:number_paragraphs": length.number_paragraphs,
    "length_constraints:number_words": length.number_words,
    "length_constraints:nth_paragraph_first_word": length.nth_paragraph_first_word,
    "detectable_content:number_placeholders": content.number_placeholders,
    "detectable_content:postscript": content.postscript,
    "detectable_format:constrained_response": content.constrained_response,
    "detectable_format:number_bullet_lists": content.number_bullet_lists,
    "detectable_format:number_highlighted_sections": content.number_highlighted_sections,
    "detectable_format:multiple_sections": content.multiple_sections,
    "detectable_format:json_format": content.json_format,
    "detectable_format:title": content.title,
    "combination:two_responses": shape.two_responses,
    "combination:repeat_prompt": shape.repeat_prompt,
    "startend:end_checker": shape.end_checker,
    "startend:quotation": shape.quotation,
    "change_case:capital_word_frequency": shape.capital_word_frequency,
    "change_case:english_capital": shape.english_capital,
    "change_case:english_lowercase": shape.english_lowercase,
    "punctuation:no_comma": shape.no_comma,
    "style:begins_with": shape.begins_with,
    "style:sections": style.sections,
    "style:max_words": style.max_words,
    "style:forbidden_phrases": style.forbidden_phrases,
    "style:no_first_person_singular": style.no_first_person_singular,
}
OF_LANGUAGE = ("language:response_language", "change_case:english_capital", "change_case:english_lowercase")
"""They need langdetect."""
EXAMPLE = '[{"rule": "style:max_words", "words": 80}]'


@cache
def arguments(name: str) -> dict[str, Any]:
    """A rule's arguments, all of them needed, with their type hints."""
    hints = get_type_hints(RULES[name])
    return {argument: hint for argument, hint in hints.items() if argument not in ("text", "return")}


def check_rules(rules: Any, where: str) -> None:
    """Refuse what cannot be checked: an unknown rule, a wrong or missing argument, a library that is not installed.

    ``where`` begins the errors.
    """
    if not isinstance(rules, list | tuple) or not rules:
        raise UserError(f"{where}: rules must be a list such as {EXAMPLE}")
    for number, given in enumerate(rules, 1):
        _check(given, f"{where}: rule {number}")


def _check(given: Any, where: str) -> None:
    if not isinstance(given, Mapping) or not isinstance(given.get("rule"), str):
        raise UserError(f"{where}: must be an object such as {EXAMPLE[1:-1]}")
    name = given["rule"]
    if name not in RULES:
        raise UserError(f"{where}: unknown rule {name!r}; there are: {', '.join(RULES)}")
    if name in OF_LANGUAGE:
        try:
            languages()
        except UserError as error:
            raise UserError(f"{where}: {name}: {error}") from None
    known = arguments(name)
    for argument in given:
        if argument != "rule" and argument not in known:
            raise UserError(f"{where}: {name} has no argument {argument!r}; it has: {', '.join(known) or 'none'}")
    for argument, kind in known.items():
        if argument not in given:
            raise UserError(f"{where}: {name} needs {argument}: {wanted(kind)}")
        if not fits(kind, given[argument]):
            raise UserError(f"{where}: {name}: {argument}={given[argument]!r} must be {wanted(kind)}")


def holds(text: str, given: Mapping[str, Any]) -> bool:
    """Whether a text follows a rule as a sample carries it. One too long for nltk to part does not."""
    try:
        return RULES[given["rule"]](text, **{key: value for key, value in given.items() if key != "rule"})
    except TimeoutError:
        return False


def told(rules: Any) -> str:
    """The rules as a person may read them, one a line."""
    return "\n".join(
        given["rule"] + "".join(f", {key}: {value}" for key, value in given.items() if key != "rule") for given in rules
    )
