"""One way of writing for texts that are compared: composed letters, plain quotes, hyphens and spaces."""

from __future__ import annotations

import re
import unicodedata

MARKS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–−", "-"),
        "—": " - ",
        **dict.fromkeys("’‘‛ʼ", "'"),
        **dict.fromkeys("“”„‟«»", '"'),
        # Compatibility forms are digits like any other: 10² would become 102, and 2½ 21/2.
        **{mark: f"^{digit}" for digit, mark in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
        "½": " 1/2",
        "¼": " 1/4",
        "¾": " 3/4",
    }
)

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"  # Han
)
"""A character of a script that puts no spaces between words: each counts as a word."""


def readable(text: str) -> str:
    """The text in Unicode's form NFKC, with one kind of quotes and hyphens. Letter case is kept."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text.translate(MARKS))
