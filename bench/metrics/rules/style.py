"""Rules of a company's style guide that IFEval has not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.metrics.rules.counting import count_words

MARKUP = re.compile(r"[#*_]")
FIRST_PERSON = re.compile(
    r"(?<![\w.&/])i(?![\w&/-]|\.\w)(?!(?<=\(i)\))|\b(?:me|my|mine|myself)\b",
    re.IGNORECASE,
)
"""Not the letter in "i.e.", "A.I.", "I/O", "i-th" or "(i)"."""


def max_words(text: str, *, words: int) -> bool:
    """At most so many words, counted as ``length_constraints:number_words`` does."""
    return count_words(text) <= words


def sections(text: str, *, headings: Sequence[str]) -> bool:
    """These sections, in this order, with something in each; others may stand between them.

    A heading begins a line and stands there alone or before a colon; Markdown's marks, a number before it and letter
    case do not matter: "## 2. Next steps", "**Next steps:** call us".
    """
    lines = [MARKUP.sub("", line).strip() for line in text.split("\n")]
    bodies: list[list[str]] = [[]]  # first what stands before any heading
    for heading in headings:
        name = re.escape(MARKUP.sub("", heading).strip(" :"))
        pattern = re.compile(rf"(?:\d+[.)]\s*)?{name}\s*(?::(.*))?", re.IGNORECASE)
        for at, line in enumerate(lines):
            if match := pattern.fullmatch(line):
                bodies[-1] += lines[:at]
                bodies.append([match[1] or ""])
                lines = lines[at + 1 :]
                break
        else:
            return False
    bodies[-1] += lines
    return all(any(line.strip() for line in body) for body in bodies[1:])


def forbidden_phrases(text: str, *, phrases: Sequence[str]) -> bool:
    """None of them stands in the text, as whole words.

    Letter case, white space and kinds of apostrophes do not matter.
    """
    plain = _plain(text)
    return not any(re.search(rf"(?<!\w){re.escape(_plain(phrase))}(?!\w)", plain) for phrase in phrases)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


def no_first_person_singular(text: str) -> bool:
    """No I, me, my, mine or myself. A numeral counts as the word: "part I"."""
    return FIRST_PERSON.search(text) is None
