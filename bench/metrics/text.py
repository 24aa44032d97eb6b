"""Text normalisation: SQuAD's, and a stricter one for values, where "3.5" must not become "35"."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache

from systems.prompts import CITATION

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)

DASHES = str.maketrans({"‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-", "’": "'", "‘": "'"})
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
NUMBER_WORD = re.compile(r"(?<![\w.-])(\d[\d.]*)-(?=[^\W\d_]{2,}\b)")
APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
TOKEN = re.compile(
    r"""(?:(?<![\w)])[-+](?=\d))?\w+(?:-\w+|(?<=\d)[/:.](?=\d)\w+)*   # 3.5  -7  2024-03-01  KX-42  10:30
      | [%€$£¥°§#&+]                                                   # signs that change a value""",
    re.VERBOSE,
)
WORD = re.compile(r"\w+")
DIGIT = re.compile(r"\d")


def plain(text: str) -> str:
    """The answer without citation markers such as ``[2]``, which are markup and not part of what it says."""
    return CITATION.sub(" ", text)


def normalise(text: str) -> str:
    """SQuAD v1.1: lower case, no punctuation, no articles, single spaces."""
    bare = text.lower().translate(PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", bare).split())


@lru_cache(maxsize=64)  # measures look for several values in the same answer
def value_tokens(text: str) -> tuple[str, ...]:
    """Tokens for finding a value in an answer.

    SQuAD's normalisation deletes punctuation, which turns "3.5" into "35" and "KX-42" into "kx42" and drops the
    "A" of "plan A". Here numbers, dates, codes and ranges with inner punctuation stay whole, thousands separators go,
    signs and units stay, and words are lower-cased.
    """
    text = unicodedata.normalize("NFKC", text).translate(DASHES).casefold()
    text = NUMBER_WORD.sub(r"\1 ", APOSTROPHE.sub("", THOUSANDS.sub("", text)))
    tokens: list[str] = []
    for token in TOKEN.findall(text):
        # Hyphens hold codes and ranges together, not words: "well-known" is two.
        tokens.extend([token] if DIGIT.search(token) or not WORD.match(token) else WORD.findall(token))
    return tuple(tokens)


def contains(answer: str, value: str) -> bool:
    """Whether the value's tokens stand in the answer, in order and side by side: word boundaries by construction.

    A leading article of the value is optional. An empty value is never contained.
    """
    wanted = value_tokens(value)
    if len(wanted) > 1 and wanted[0] in ("a", "an", "the"):
        wanted = wanted[1:]
    return bool(wanted) and _has_run(value_tokens(answer), wanted)


def _has_run(tokens: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    width = len(wanted)
    return any(tokens[at : at + width] == wanted for at in range(len(tokens) - width + 1))
