"""Where a text may be cut: tokens, sentences, headings, and tables, which are never cut.

Everything is a span of the text, and the spans of a text follow each other without gaps, so what is
packed from them is the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(r"\w+|[^\w\s]")
"""A run of letters, digits and underscores, or one other visible character: 'don't' is three tokens."""
SENTENCE_END = re.compile(
    r"""(?<=[.!?])["')\]]*\s+(?![a-z\s])|\n\s*\n|\n(?=[ \t]*(?:[-*+]|\d+[.)]|\#{1,6})[ \t])|^\#{1,6}[ \t].*\n""",
    re.MULTILINE,
)
"""After a full stop before anything but a small letter, at an empty line, before a list item, around a heading."""
TABLE = re.compile(r"(?:^[ \t]*\|.*(?:\n|\Z))+", re.MULTILINE)
HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*\r?$", re.MULTILINE)
FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*\r?$|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Span:
    """A stretch ``text[start:end]`` that stays whole, and its length in tokens."""

    start: int
    end: int
    tokens: int


def token_spans(text: str, start: int = 0, end: int | None = None) -> Iterator[Span]:
    """Single tokens, each with the white space after it; a table is one span."""
    for low, high, is_table in _around_tables(text, start, len(text) if end is None else end):
        if is_table:
            yield _span(text, low, high)
        else:
            starts = [match.start() for match in TOKEN.finditer(text, low, high)]
            # White space before the first token belongs to it.
            for first, last in zip([low, *starts[1:]] if starts else [], [*starts[1:], high], strict=False):
                yield Span(first, last, 1)
            if not starts:
                yield Span(low, high, 0)


def sentence_spans(text: str, size: int, start: int = 0, end: int | None = None) -> Iterator[Span]:
    """Sentences, each with the white space after it; one longer than ``size`` tokens is cut, a table is not."""
    for low, high, is_table in _around_tables(text, start, len(text) if end is None else end):
        if is_table:
            yield _span(text, low, high)
            continue
        cuts = [match.end() for match in SENTENCE_END.finditer(text, low, high)]
        for first, last in zip([low, *cuts], [*cuts, high], strict=True):
            if first == last:
                continue
            whole = _span(text, first, last)
            if whole.tokens <= size:
                yield whole
            else:
                pieces = list(token_spans(text, first, last))
                for index in range(0, len(pieces), size):
                    part = pieces[index : index + size]
                    yield Span(part[0].start, part[-1].end, len(part))


@dataclass(frozen=True)
class Section:
    """The text under a heading, the heading line included, and the headings above it, outermost first."""

    start: int
    end: int
    path: tuple[str, ...]
    body: int
    """Where the text begins once the headings that stand in ``path`` are left out."""


def sections(text: str) -> list[Section]:
    """Sections in order. A heading with nothing under it joins the section that follows: alone it answers nothing."""
    fences = [match.span() for match in FENCE.finditer(text)]
    marks = [m for m in HEADING.finditer(text) if not any(low <= m.start() < high for low, high in fences)]
    found: list[Section] = []
    path: list[tuple[int, str]] = []
    start = 0
    names: tuple[str, ...] = ()
    content = 0  # where the text under the last heading begins
    for mark in [*marks, None]:
        end = mark.start() if mark else len(text)
        if text[content:end].strip():
            told = all(m.group(2).strip() in names for m in marks if start <= m.start() < content)
            found.append(Section(start, end, names, content if told else start))
            start = end
        if mark:
            level = len(mark.group(1))
            path = [step for step in path if step[0] < level] + [(level, mark.group(2).strip())]
            names = tuple(name for _, name in path if name)
            content = mark.end()
    if text[start:].strip():  # headings at the very end
        found.append(Section(start, len(text), names, start))
    return found


def _around_tables(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Stretches outside and inside tables, in order: ``(start, end, is_table)``."""
    at = start
    for match in TABLE.finditer(text, start, end):
        if match.start() > at:
            yield at, match.start(), False
        yield match.start(), match.end(), True
        at = match.end()
    if at < end:
        yield at, end, False


def _span(text: str, start: int, end: int) -> Span:
    return Span(start, end, sum(1 for _ in TOKEN.finditer(text, start, end)))
