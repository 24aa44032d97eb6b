"""Documents to chunks: by tokens, by sentences, or by headings.

In all three a Markdown table (consecutive lines that start with '|') stays whole, even where it is longer
than a chunk, and the chunks of a document together hold all of its text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from systems.base import Chunk, Document, UserError
from systems.knowledge.spans import Span, sections, sentence_spans, token_spans


class Chunker(Protocol):
    """Cuts a document into retrievable pieces."""

    def chunk(self, document: Document) -> list[Chunk]:
        """Chunks in the order of the text, with ids ``{document.id}#0``, ``#1``, ..."""
        ...


@dataclass(frozen=True, kw_only=True)
class ByTokens:
    """At most ``size`` tokens a chunk; each begins with the last ``overlap`` tokens of the one before.

    Tokens are words and punctuation marks (``spans.TOKEN``), so no model is needed to count them.
    """

    size: int = 128
    overlap: int = 16

    def __post_init__(self) -> None:
        _check_size(self.size)
        if not 0 <= self.overlap < self.size:
            raise UserError(f"chunking.overlap={self.overlap}: must be 0 or more and less than size={self.size}")

    def chunk(self, document: Document) -> list[Chunk]:
        spans = list(token_spans(document.text))
        packed = _pack(spans, self.size, overlap_tokens=self.overlap, overlap_spans=len(spans))
        return _chunks(document, [(low, high, document.title) for low, high in packed])


@dataclass(frozen=True, kw_only=True)
class BySentences:
    """Whole sentences up to ``size`` tokens; each chunk begins with the last ``overlap_sentences`` of the one before.

    A sentence longer than ``size`` is cut. Overlap is left out where it would not fit.
    """

    size: int = 128
    overlap_sentences: int = 1

    def __post_init__(self) -> None:
        _check_size(self.size)
        if self.overlap_sentences < 0:
            raise UserError(f"chunking.overlap_sentences={self.overlap_sentences}: must be 0 or more")

    def chunk(self, document: Document) -> list[Chunk]:
        spans = list(sentence_spans(document.text, self.size))
        packed = _pack(spans, self.size, overlap_tokens=self.size, overlap_spans=self.overlap_sentences)
        return _chunks(document, [(low, high, document.title) for low, high in packed])


@dataclass(frozen=True, kw_only=True)
class ByHeadings:
    """One chunk per section, cut between sentences where it is longer than ``size`` tokens.

    The title of a chunk is the document's title and the headings above it: "Leave policy - Carry-over". They are
    not said again in its text.
    """

    size: int = 256

    def __post_init__(self) -> None:
        _check_size(self.size)

    def chunk(self, document: Document) -> list[Chunk]:
        pieces = []
        for section in sections(document.text):
            spans = list(sentence_spans(document.text, self.size, section.body, section.end))
            title = _joined_title(document.title, section.path)
            pieces += [(low, high, title) for low, high in _pack(spans, self.size, 0, 0)]
        return _chunks(document, pieces)


def _check_size(size: int) -> None:
    if size < 1:
        raise UserError(f"chunking.size={size}: must be 1 or more tokens")


def _pack(spans: Sequence[Span], size: int, overlap_tokens: int, overlap_spans: int) -> Iterator[tuple[int, int]]:
    """Fill chunks with whole spans up to ``size`` tokens; yields ``(start, end)`` in the text."""
    first = 0  # the span a chunk starts with, overlap included
    fresh = 0  # the first span that no chunk holds yet
    while fresh < len(spans):
        total = sum(span.tokens for span in spans[first:fresh])
        if total + spans[fresh].tokens > size:
            first, total = fresh, 0  # the overlap would push the next span out: a chunk must bring something new
        end = fresh
        while end < len(spans) and (end == fresh or total + spans[end].tokens <= size):
            total += spans[end].tokens
            end += 1
        yield spans[first].start, spans[end - 1].end
        first, room = end, overlap_tokens
        while first > fresh and end - first < overlap_spans and spans[first - 1].tokens <= room:
            room -= spans[first - 1].tokens
            first -= 1
        fresh = end


def _chunks(document: Document, pieces: Sequence[tuple[int, int, str]]) -> list[Chunk]:
    """Number the pieces that hold any text."""
    texts = [(document.text[low:high].strip(), title) for low, high, title in pieces]
    return [
        Chunk(
            id=f"{document.id}#{number}",
            text=text,
            title=title,
            document=document.id,
            metadata=dict(document.metadata),
        )
        for number, (text, title) in enumerate((text, title) for text, title in texts if text)
    ]


def _joined_title(title: str, path: Sequence[str]) -> str:
    """The document's title and the headings, none twice in a row."""
    parts: list[str] = []
    for part in (title, *path):
        if part and (not parts or part != parts[-1]):
            parts.append(part)
    return " - ".join(parts)
