"""Names in free text: capitalised words that are neither of the question nor ones that open any sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bench.world.values import DAYS, MONTHS

CAPITALISED = re.compile(r"\b[A-ZÀ-ÖØ-Þ][^\W\d_]+(?:['’-][^\W\d_]+)*")
OPENS = re.compile(r"[.!?:\n]\s*$")
POSSESSIVE = re.compile(r"['’]s$")
WORDS = """
the a an it its it's this that these those he she they we you i his her their our your my in on at for from by
of to as with and or but not no yes according based please sorry unfortunately note answer response question passage
passages document documents section source sources page title result name value person place city town location site
office manager owner lead keeper account client line direct product policy plan contract company employee staff desk
team building home base signing signature there here is are was were be who what which where when why how if since
because so also both either neither maybe perhaps however although though then thus therefore hence only while given
per mr mrs ms dr prof none nobody unknown all any each every some one two three first second do does i'm i've
listed contacts work overview terms rules administration details"""
COMMON = frozenset(WORDS.split()) | {word.casefold() for word in (*MONTHS, *DAYS, "Saturday", "Sunday")}


def names(text: str, known: str, *, person: bool) -> Iterator[tuple[str, int, int]]:
    """Names with where they start and end. ``known``: a text whose names do not count (the question).

    A person has two names: where any is given in full, single words beside it are not taken for people.
    """
    out = COMMON | {POSSESSIVE.sub("", word).casefold() for word in CAPITALISED.findall(known)}
    runs: list[list[tuple[str, int, int]]] = []
    end = -2
    for match in CAPITALISED.finditer(text):
        word = POSSESSIVE.sub("", match.group(0))
        start = match.start()
        opens = start == 0 or OPENS.search(text, max(0, start - 20), start) is not None
        if word.casefold() in out or (word.isupper() and len(word) < 5) or (opens and word.endswith("ly")):
            continue
        piece = (word, match.start(), match.start() + len(word))
        if match.start() == end + 1 and text[end] == " ":
            runs[-1].append(piece)
        else:
            runs.append([piece])
        end = match.end() if word == match.group(0) else -2
    if person and any(len(run) > 1 for run in runs):
        runs = [run for run in runs if len(run) > 1]
    for run in runs:
        yield " ".join(word for word, _, _ in run), run[0][1], run[-1][2]
