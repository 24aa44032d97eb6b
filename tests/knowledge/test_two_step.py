from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from systems.base import Chunk, Filters, Hit, UserError
from systems.knowledge.two_step import TwoStepRetriever


@dataclass
class Pages:
    """Finds what it is told for each text, by documents' names; ``a1`` is a chunk of document ``a``."""

    found: dict[str, list[str]]
    asked: list[tuple[str, Filters]] = field(default_factory=list)

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        self.asked.append((text, filters))
        hits = [
            Hit(chunk=Chunk(id=name, document=name[0], text=f"text of {name}"), score=1 / rank)
            for rank, name in enumerate(self.found.get(text, []), 1)
        ]
        return hits, {"search": 0.5}


def names(hits: list[Hit]) -> list[str]:
    return [hit.chunk.id for hit in hits]


def test_what_only_the_first_page_names_is_found() -> None:
    pages = Pages({
        "q": ["a1", "b1", "c1", "d1"],
        "q\ntext of a1": ["a1", "a2", "z1", "b1"],
        "q\ntext of b1": ["b1", "y1", "z1"],
    })  # fmt: skip
    hits, timings = TwoStepRetriever(retriever=pages, breadth=2).retrieve("q", Filters(role="staff"))
    # The best hit, then both further searches in turn without its own page: b1 (second of the first search by b1's),
    # z1 and y1.
    assert names(hits) == ["a1", "b1", "y1", "z1"]
    assert timings == {"search": 1.5}
    assert [text for text, _ in pages.asked] == ["q", "q\ntext of a1", "q\ntext of b1"]
    assert {filters.role for _, filters in pages.asked} == {"staff"}


def test_the_first_search_fills_what_is_left() -> None:
    pages = Pages({"q": ["a1", "a2", "b1"], "q\ntext of a1": ["a1"]})
    hits, _ = TwoStepRetriever(retriever=pages, breadth=1).retrieve("q", Filters())
    assert names(hits) == ["a1", "b1", "a2"]


def test_nothing_found_is_nothing_found() -> None:
    assert TwoStepRetriever(retriever=Pages({})).retrieve("q", Filters()) == ([], {"search": 0.5})


def test_breadth_has_to_be_one_or_more() -> None:
    with pytest.raises(UserError, match=r"retriever\.breadth=0: must be 1 or more"):
        TwoStepRetriever(retriever=Pages({}), breadth=0)
