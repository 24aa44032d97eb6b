"""What an index is. Two engines hold to it: Qdrant in this process, and a Qdrant server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from systems.base import Chunk, Embedder, Filters, Hit
from systems.knowledge.edge_index import EdgeIndex
from systems.knowledge.points import MODES, Mode, Progress, SyncReport, silent
from systems.knowledge.server_index import ServerIndex
from systems.knowledge.sparse import SparseEncoder

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MODES", "EdgeIndex", "Index", "Mode", "ServerIndex", "SparseEncoder", "SyncReport"]


class Index(Protocol):
    """Chunks, found by vector, by words, or by both."""

    def search(
        self,
        text: str,
        vector: np.ndarray | None,
        mode: Mode = "fused",
        top_k: int = 5,
        filters: Filters | None = None,
        exact: bool = False,
        rrf_k: int = 60,
        candidates: int | None = None,
    ) -> list[Hit]:
        """The ``top_k`` best chunks that satisfy ``filters``, which the engine applies while it searches.

        ``dense``: cosine similarity with ``vector``. ``sparse``: BM25 of ``text``. ``fused``: reciprocal rank
        fusion, the sum over both lists of 1 / (rrf_k + rank) with ranks from 1 (Cormack et al., SIGIR 2009),
        over the first ``candidates`` of each list (``top_k`` if that is more). Equal scores come in an order
        that another build repeats. ``exact``: every vector is compared, no graph.
        """
        ...

    def sync(self, chunks: Sequence[Chunk], embedder: Embedder | None, progress: Progress = silent) -> SyncReport:
        """Make the index hold exactly these chunks: what is unchanged is neither embedded nor written.

        Without an embedder the index has BM25 alone.
        """
        ...

    def count(self) -> int:
        """Chunks in the index."""
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...
