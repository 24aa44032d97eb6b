"""Text normalisation: SQuAD's, and a stricter one for finding what is said, where "3.5" must not become "35"."""

from __future__ import annotations

import re
import string
from functools import lru_cache

from bench.metrics.readable import UNSPACED, readable
from bench.metrics.values import places, whole_value
from systems.prompts import CITATION

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
NUMBER_WORD = re.compile(r"(?<![\w.-])(\d[\d.]*)-(?=[^\W\d_]{2,}\b)")
APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
INITIALS = re.compile(r"\b[a-z](?:\.[a-z])+\b\.?|\b(?:[a-z]\. )+[a-z]\.")
TOKEN = re.compile(
    rf"""(?:(?<![\w)])[-+](?=\d))?\w+(?:-\w+|(?<=\d)[/:.](?=\d)\w+)*   # 3.5  -7  2024-03-01  KX-42  10:30
         (?:(?<=[^\W\d_])[+\#]+(?!\w))?                               # C++  C#
      | [%€$£¥°§\#&+] | {UNSPACED.pattern}                             # signs that change a value""",
    re.VERBOSE,
)
WORD = re.compile(r"\w+")
DIGIT = re.compile(r"\d")


def plain(text: str) -> str:
    """The answer without citation markers such as ``[2]``, which are markup and not part of what it says."""
    return CITATION.sub(" ", text)


def normalise(text: str) -> str:
    """SQuAD v1.1 (lower case, no punctuation, no articles, single spaces), of ``readable`` text with cases folded."""
    bare = readable(text).casefold().translate(PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", bare).split())


@lru_cache(maxsize=64)  # measures look for several values in the same answer
def value_tokens(text: str) -> tuple[str, ...]:
    """Tokens for finding a value in an answer.

    SQuAD's normalisation deletes punctuation, which turns "3.5" into "35" and "KX-42" into "kx42" and drops the
    "A" of "plan A". Here numbers, dates, codes and ranges with inner punctuation stay whole, thousands separators and
    the points of initials go, signs and units stay, and words are lower-cased.
    """
    text = readable(text).casefold()
    if not text.isascii():
        text = UNSPACED.sub(r" \g<0> ", text)
    if "." in text:
        text = INITIALS.sub(lambda match: re.sub("[. ]", "", match.group(0)), text)
    text = NUMBER_WORD.sub(r"\1 ", APOSTROPHE.sub("", THOUSANDS.sub("", text)))
    tokens: list[str] = []
    for token in TOKEN.findall(text):
        # Hyphens hold codes and ranges together, not words: "well-known" is two.
        whole = DIGIT.search(token) or token[-1] in "+#" or not WORD.match(token)
        tokens.extend([token] if whole else WORD.findall(token))
    return tuple(tokens)


def contains(answer: str, value: str) -> bool:
    """Whether the answer holds the value.

    One that is a number, a quantity or a date as a whole is compared by what it is (``bench.metrics.values``). Of any
    other its tokens stand in the answer, in order and side by side: word boundaries by construction. A leading article
    of the value is optional. An empty value is never contained.
    """
    if (sought := whole_value(value)) is not None:
        return bool(places(readable(answer), sought))
    wanted = wanted_tokens(value)
    return bool(wanted) and _has_run(value_tokens(answer), wanted)


def wanted_tokens(value: str) -> tuple[str, ...]:
    """The tokens of a value that is looked for, without a leading article."""
    wanted = value_tokens(value)
    if len(wanted) > 1 and wanted[0] in ("a", "an", "the"):
        return wanted[1:]
    return wanted


def _has_run(tokens: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    width = len(wanted)
    return any(tokens[at : at + width] == wanted for at in range(len(tokens) - width + 1))
