"""IFEval's rules on length."""

from __future__ import annotations

import re

from bench.metrics.rules.arguments import Position, Relation, compare
from bench.metrics.rules.counting import count_sentences, count_words

WORD_END = re.compile(r"""[.,?!'"]""")


def number_sentences(text: str, *, num_sentences: int, relation: Relation) -> bool:
    """Less than, or at least, so many sentences."""
    return compare(count_sentences(text), relation, num_sentences)


def number_words(text: str, *, num_words: int, relation: Relation) -> bool:
    """Less than, or at least, so many words."""
    return compare(count_words(text), relation, num_words)


def number_paragraphs(text: str, *, num_paragraphs: int) -> bool:
    """Exactly so many paragraphs, with ``***`` between them and none of them empty."""
    filled = [bool(piece.strip()) for piece in text.split("***")]
    return all(filled[1:-1]) and sum(filled) == num_paragraphs


def nth_paragraph_first_word(text: str, *, num_paragraphs: int, nth_paragraph: Position, first_word: str) -> bool:
    """Exactly so many paragraphs, with an empty line between them, and the n-th of them begins with this word.

    As in IFEval a second empty line makes a place of its own: the paragraphs after it are further back by one.
    """
    pieces = text.split("\n\n")
    if sum(bool(piece.strip()) for piece in pieces) != num_paragraphs or nth_paragraph > num_paragraphs:
        return False
    words = pieces[nth_paragraph - 1].split()
    return bool(words) and WORD_END.split(words[0].lstrip("'").lstrip('"'), 1)[0].lower() == first_word.lower()
