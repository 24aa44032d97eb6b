"""Search twice: for the question, then for the question with what was found: a second page may only be named there.

Multi-hop retrieval as in MDR (Xiong et al., ICLR 2021), where each first passage is put behind the question; here over
any retriever and without training.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from systems.base import Filters, Hit, Retriever, UserError


@dataclass(frozen=True, kw_only=True)
class TwoStepRetriever:
    """The best hit of the first search; then what the further searches found, taking turns; then the rest of the first.

    Scores are those of the search that a hit came from, so they do not compare from one hit to the next.
    """

    retriever: Retriever
    breadth: int = 3
    """Hits of the first search that are each searched with."""

    def __post_init__(self) -> None:
        if self.breadth < 1:
            raise UserError(f"retriever.breadth={self.breadth}: must be 1 or more")

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        """As many hits as the inner retriever gives for one search; timings are the sums over all searches."""
        found, timings = self.retriever.retrieve(text, filters)
        total = dict(timings)
        further: list[Sequence[Hit]] = []
        for hit in found[: self.breadth]:
            hits, timings = self.retriever.retrieve(f"{text}\n{hit.chunk.text}", filters)
            further.append(hits)
            for stage, seconds in timings.items():
                total[stage] = total.get(stage, 0.0) + seconds
        turns = (hit for turn in itertools.zip_longest(*further) for hit in turn if hit is not None)
        once: dict[str, Hit] = {}
        for hit in itertools.chain(found[:1], turns, found):
            # A chunk of the best hit's own page, which the question found already, tells nothing new.
            if not once or hit.chunk.document != found[0].chunk.document:
                once.setdefault(hit.chunk.id, hit)
        own = [hit for hit in found[1:] if hit.chunk.document == found[0].chunk.document]
        return [*once.values(), *own][: len(found)], total
