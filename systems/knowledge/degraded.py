"""Retrieval made worse on purpose, by a declared amount, to see what a system's answers owe to it.

After the RGB benchmark (Chen et al., AAAI 2024: noise and counterfactual robustness) and studies of where in the
context evidence stands (Liu et al., TACL 2024). Chance is drawn from the seed, the query and the chunk, so that a query
always gets the same, and a chunk dropped at one share is dropped at every higher one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from systems.base import Filters, Hit, Retriever, UserError
from systems.knowledge.altering import altered

SEARCHES = 8
"""Other questions that are searched for at most, to find what is irrelevant to one."""


@dataclass(frozen=True, kw_only=True)
class DegradedRetriever:
    """What another retriever finds, less what is dropped, with chunks added to it, in another order; in this turn.

    Timings are those of the other retriever: what degrading takes is no stage of a system.
    """

    retriever: Retriever
    questions: Sequence[str] = ()
    """What else is asked of this corpus: what another question finds is irrelevant to this one."""
    drop: float = 0.0
    """Chance of each chunk to be left out."""
    counterfactual: float = 0.0
    """Chance of each chunk to have a false copy beside it, before or after: other numbers, dates and names
    (``altering``). The copy keeps title and document, as a forged page would; one that came out unchanged is left
    out."""
    irrelevant: float = 0.0
    """Irrelevant chunks added at random places, as a share of those there are: 1.0 doubles them. They satisfy the
    query's filters and are of documents that were not found for it."""
    shuffle: int = 0
    """So many of the first chunks change places at random; 0: none."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("drop", "counterfactual"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"retriever.{name}={getattr(self, name)}: must be between 0 and 1")
        for name in ("irrelevant", "shuffle"):
            if getattr(self, name) < 0:
                raise UserError(f"retriever.{name}={getattr(self, name)}: must be 0 or more")

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        """Hits in the order in which they are to be shown: their scores are those they were found with."""
        found, timings = self.retriever.retrieve(text, filters)
        hits = [hit for hit in found if self._chance("drop", text, hit.chunk.id).random() >= self.drop]
        hits = [one for hit in hits for one in self._with_false_copy(text, hit)]
        for hit in self._irrelevant(text, filters, found, round(self.irrelevant * len(hits))):
            hits.insert(self._chance("place", text, hit.chunk.id).randint(0, len(hits)), hit)
        first = self._chance("order", text).sample(hits[: self.shuffle], len(hits[: self.shuffle]))
        return first + hits[self.shuffle :], timings

    def _chance(self, *purpose: str) -> random.Random:
        return random.Random("\0".join((str(self.seed), *purpose)))

    def _with_false_copy(self, text: str, hit: Hit) -> list[Hit]:
        chance = self._chance("counterfactual", text, hit.chunk.id)
        if chance.random() >= self.counterfactual:
            return [hit]
        said = altered(hit.chunk.text, keep=f"{hit.chunk.title} {text}", seed=f"{self.seed}\0{text}")
        if said == hit.chunk.text:
            return [hit]
        copy = replace(hit, chunk=replace(hit.chunk, id=f"{hit.chunk.id}~counterfactual", text=said))
        return [copy, hit] if chance.random() < 0.5 else [hit, copy]

    def _irrelevant(self, text: str, filters: Filters, found: Sequence[Hit], wanted: int) -> list[Hit]:
        """At most ``wanted`` hits of other questions, in the order of a draw among these."""
        others = [question for question in dict.fromkeys(self.questions) if question != text]
        order = self._chance("irrelevant", text).sample(others, min(SEARCHES, len(others))) if wanted else []
        related = {hit.chunk.document for hit in found}
        drawn: dict[str, Hit] = {}
        for question in order:
            if len(drawn) >= wanted:
                break
            for hit in self.retriever.retrieve(question, filters)[0]:
                if hit.chunk.document not in related:
                    drawn.setdefault(hit.chunk.id, hit)
        return list(drawn.values())[:wanted]
