"""Retrieve, rerank, prompt, then generate: ``rag`` on the base weights, ``hybrid`` with an adapter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from systems.base import Chunk, Prepared, Query, Retriever, UserError
from systems.prompted import Prompted
from systems.prompts import passage
from systems.timing import timed


@dataclass(frozen=True, kw_only=True)
class Retrieving(Prompted):
    """A system with retrieval: the same prompt with a context block before the question."""

    retriever: Retriever
    top_k: int = 4
    """Passages shown at most."""
    context_budget: int = 600
    """Tokens that the passages may take together; the same for every system of a run."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.top_k < 1:
            raise UserError(f"systems.{self.name}.top_k={self.top_k}: must be 1 or more")

    def prepare(self, query: Query) -> Prepared:
        started = time.perf_counter()
        hits, timings = self.retriever.retrieve(query.search_text(), query.search_filters())
        with timed(timings, "prompt"):
            passages = within_budget([hit.chunk for hit in hits[: self.top_k]], self.context_budget, self.model.count)
            first, *further = self.requests(query, passages)
        return Prepared(
            query=query,
            request=first,
            further=tuple(further),
            retrieved=tuple(hits),
            shown=tuple(chunk.id for chunk in passages),
            timings=timings,
            started=started,
        )


def within_budget(chunks: Sequence[Chunk], budget: int, count: Callable[[str], int]) -> list[Chunk]:
    """The best chunks that fit ``budget`` tokens together, in rank order; one that is too long is passed over."""
    kept: list[Chunk] = []
    used = 0
    for chunk in chunks:
        tokens = count(passage(len(kept) + 1, chunk) + "\n")
        if used + tokens <= budget:
            kept.append(chunk)
            used += tokens
    return kept
