"""Query to ranked chunks: embed, search, rerank, each timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from systems.base import Embedder, Filters, Hit, Reranker, UserError
from systems.knowledge.embedding import embed_queries
from systems.knowledge.index import MODES, Index, Mode
from systems.timing import timed


@dataclass(frozen=True, kw_only=True)
class IndexRetriever:
    """Searches an index; implements ``systems.base.Retriever``.

    ``candidates`` is the depth of each list that is fused, and how many hits the reranker gets to order.
    ``exact`` compares every vector instead of walking the graph: ground truth, slower on large indexes.
    """

    index: Index
    embedder: Embedder | None = None
    mode: Mode = "fused"
    top_k: int = 5
    candidates: int = 50
    reranker: Reranker | None = None
    rrf_k: int = 60
    exact: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UserError(f"retriever.mode={self.mode}: must be one of {', '.join(MODES)}")
        if self.mode != "sparse" and self.embedder is None:
            raise UserError(f"retriever.mode={self.mode}: needs an embedder; without one only mode=sparse works")
        if self.top_k < 1:
            raise UserError(f"retriever.top_k={self.top_k}: must be 1 or more")
        if self.candidates < self.top_k:
            raise UserError(f"retriever.candidates={self.candidates}: must be at least top_k={self.top_k}")
        if self.rrf_k < 0:
            raise UserError(f"retriever.rrf_k={self.rrf_k}: must be 0 or more")

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        """At most ``top_k`` hits, best first, and seconds for ``embed``, ``search`` and ``rerank`` where they ran.

        With processor seconds (see ``timing.timed``) of the parts that say that they work in the caller's thread alone.
        """
        timings: dict[str, float] = {}
        vector = None
        if self.mode != "sparse" and self.embedder is not None:
            with timed(timings, "embed", alone=_alone(self.embedder)):
                vector = embed_queries(self.embedder, [text])[0]
            timings["embed"] += getattr(self.embedder, "seconds_each", 0.0)
        with timed(timings, "search", alone=_alone(self.index)):
            hits = self.index.search(
                text,
                vector,
                mode=self.mode,
                top_k=self.candidates if self.reranker else self.top_k,
                filters=filters,
                exact=self.exact,
                rrf_k=self.rrf_k,
                candidates=self.candidates,
            )
        if self.reranker is not None:
            with timed(timings, "rerank", alone=_alone(self.reranker)):
                hits = self.reranker.rerank(text, hits)[: self.top_k]
        return hits, timings


def _alone(part: Any) -> bool:
    """Whether a part works in the caller's thread and nowhere else. Who does not say so may have helpers."""
    return bool(getattr(part, "one_thread", False))
