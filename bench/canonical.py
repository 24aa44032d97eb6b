"""Texts as a reader compares them: two that look alike, or differ in punctuation alone, are one."""

from __future__ import annotations

import re
import unicodedata

from bench.metrics.readable import UNSPACED
from bench.metrics.text import ARTICLES, THOUSANDS, contains

SIGNS = str.maketrans({**dict.fromkeys("’‘‛ʼ´`′＇", "'"), **dict.fromkeys("‐‑‒–−﹣－", "-")})
BREAKS = re.compile(r"(?<!\d)[—―/\\|]|[—―/\\|](?!\d)|--+|\.\.+")
"""Signs that part words even where no space stands beside them."""
_SIGN = re.compile(r"[^\w\s]|_")
_SPACE = re.compile(r"(?<!\d) | (?!\d)")


def words(text: str) -> list[str]:
    """Words without case, punctuation and articles; of a script without spaces, characters.

    Compatible forms are one (Unicode's NFKC: full width, ligatures, composed letters), so are all apostrophes and all
    hyphens, and marks that cannot be seen go. Punctuation between digits stays: 3.5 is not 35.
    """
    text = unicodedata.normalize("NFKC", text.translate(SIGNS)).casefold()
    text = BREAKS.sub(" ", THOUSANDS.sub("", unicodedata.normalize("NFKC", text)))
    return ARTICLES.sub(" ", UNSPACED.sub(r" \g<0> ", _SIGN.sub(_kept, text))).split()


def key(text: str) -> str:
    """The same for texts that are the same to a reader, spaces aside: "e-mail", "email" and "e mail" are one."""
    return _SPACE.sub("", " ".join(words(text)))


def stands_in(part: str, text: str) -> bool:
    """Whether the words stand in the text, in order and side by side; no words stand nowhere."""
    wanted = " ".join(words(part))
    return bool(wanted) and f" {wanted} " in f" {' '.join(words(text))} "


def says(text: str, value: str) -> bool:
    """Whether the value stands in the text: by its tokens, or, in a script without spaces, by its characters."""
    return contains(text, value) or (UNSPACED.search(value) is not None and stands_in(value, text))


def _kept(match: re.Match[str]) -> str:
    """A sign that is more than punctuation (a currency, an accent), or that stands between digits."""
    sign, text, at = match.group(), match.string, match.start()
    if text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit():
        return sign
    kind = unicodedata.category(sign)
    return "" if kind[0] == "P" or kind == "Cf" or sign in "^~" else sign
