"""BM25 as sparse vectors, by Qdrant's own tokenizer, stop words and stemmer.

A document's weights hold the term-frequency half of BM25; the engine multiplies by IDF when it searches,
so adding documents changes no stored vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from systems.base import UserError

HINT = "install it with: pip install qdrant-edge-py"


@dataclass(frozen=True)
class SparseVector:
    """Term ids and their weights."""

    indices: list[int]
    values: list[float]


@dataclass(frozen=True)
class SparseEncoder:
    """BM25 with term-frequency saturation ``k1`` and length normalisation ``b``.

    ``average_length`` (in terms) is a setting and not measured, or every stored weight would change with
    each new document.
    """

    k1: float = 1.2
    b: float = 0.75
    average_length: float = 256.0
    language: str = "english"

    @property
    def identity(self) -> str:
        return f"bm25-{self.k1}-{self.b}-{self.average_length}-{self.language}"

    def document(self, text: str) -> SparseVector:
        found = self._bm25.embed_document(text)
        return SparseVector(list(found.indices), list(found.values))

    def query(self, text: str) -> SparseVector:
        """Each distinct term weighs 1; no terms at all (stop words only) match nothing."""
        found = self._bm25.embed_query(text)
        return SparseVector(list(found.indices), list(found.values))

    @cached_property
    def _bm25(self) -> Any:
        try:
            from qdrant_edge import Bm25, Bm25Config
        except ImportError:
            raise UserError(f"index: BM25 needs qdrant-edge-py; {HINT}") from None
        config = Bm25Config(k=self.k1, b=self.b, avg_len=self.average_length, language=self.language)
        try:
            return Bm25(config)
        except ValueError as error:
            raise UserError(f"index.sparse: {error}") from None
