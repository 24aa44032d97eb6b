"""What a text is made of, for the rules that count: words, sentences, words in capitals."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nltk.tokenize import NLTKWordTokenizer
    from nltk.tokenize.punkt import PunktSentenceTokenizer

WORD = re.compile(r"\w+")
ENDLESS = re.compile(r"([^\s.!?]{200})[^\s.!?]+|([.!?])\2{200,}")
"""A word longer than any, or a row of stops: nltk takes the square of its length."""
ABBREVIATIONS = frozenset({
    *("mr", "mrs", "ms", "dr", "prof", "rev", "hon", "gen", "col", "capt", "lt", "sgt", "st", "sr", "jr", "ph.d"),
    *("m.d", "inc", "ltd", "co", "corp", "bros", "dept", "vs", "cf", "al", "e.g", "i.e", "approx", "vol", "pp", "ed"),
    *("a.m", "p.m", "jan", "feb", "apr", "aug", "sept", "oct", "nov", "dec", "u.s", "u.k", "u.s.a", "u.n", "e.u"),
})  # fmt: skip
"""Whose full stop ends no sentence before anything but what clearly begins one; lower case, without the last stop."""


def count_words(text: str) -> int:
    """Runs of letters, digits and underscores: "don't" is two, as IFEval counts."""
    return sum(1 for _ in WORD.finditer(text))


def count_sentences(text: str) -> int:
    """Sentences by Punkt (Kiss & Strunk 2006), with ``ABBREVIATIONS`` in place of a trained model.

    IFEval takes nltk's English model, which has to be downloaded. Counts differ now and then: where an abbreviation
    is in one list alone, and after initials, which the model knows better.
    """
    return len(_punkt().tokenize(ENDLESS.sub(r"\1\2", text)))


def count_capital_words(text: str) -> int:
    """Words without small letters, by the conventions of the Penn Treebank.

    A word with a hyphen is one, "CAN'T" is two, and "I" counts. IFEval parts sentences first, by a model that has to be
    downloaded; that moves full stops alone, which are no words.
    """
    return sum(word.isupper() for word in _treebank().tokenize(text))


@cache
def _punkt() -> PunktSentenceTokenizer:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types = set(ABBREVIATIONS)
    return PunktSentenceTokenizer(parameters)


@cache
def _treebank() -> NLTKWordTokenizer:
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()
