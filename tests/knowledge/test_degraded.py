"""Degraded retrieval: by the declared amount, the same for the same query, and nothing that filters forbid."""

from __future__ import annotations

from typing import Any

import pytest

from systems.base import Chunk, Filters, Hit, UserError
from systems.knowledge.degraded import DegradedRetriever

QUESTIONS = [f"question {number:03d}" for number in range(200)]
EVERYONE, SALES = Filters(), Filters(role="sales")


class Shelf:
    """Ten chunks of five documents for every question, which a role narrows to the first six of them."""

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        found = [
            Hit(
                chunk=Chunk(
                    id=f"{text}#{n}", document=f"{text}/{n // 2}", title="Page", text=f"The fee is {1000 + n}."
                ),
                score=1 / (n + 1),
            )
            for n in range(6 if filters.role else 10)
        ]
        return found, {"search": 0.5}


def retrieve(question: str = QUESTIONS[0], filters: Filters = EVERYONE, **settings: Any) -> list[str]:
    retriever = DegradedRetriever(retriever=Shelf(), questions=QUESTIONS, **settings)
    hits, timings = retriever.retrieve(question, filters)
    assert timings == {"search": 0.5}
    return [hit.chunk.id.removeprefix(question) for hit in hits]


USUAL = [f"#{n}" for n in range(10)]


def test_without_a_setting_nothing_is_degraded() -> None:
    assert retrieve() == USUAL


def test_a_share_is_dropped_and_the_rest_keeps_its_order() -> None:
    kept = {question: retrieve(question, drop=0.5) for question in QUESTIONS}
    for found in kept.values():
        assert found == sorted(found)
    # 2,000 draws: five standard errors are 0.056.
    assert sum(map(len, kept.values())) / 2000 == pytest.approx(0.5, abs=0.056)
    assert retrieve(drop=1.0) == []


def test_the_same_query_is_degraded_alike_and_more_where_more_is_asked() -> None:
    for question in QUESTIONS[:20]:
        few, many = retrieve(question, drop=0.3), retrieve(question, drop=0.6)
        assert set(many) <= set(few)
        assert retrieve(question, drop=0.3) == few
    assert any(retrieve(question, drop=0.5) != retrieve(question, drop=0.5, seed=1) for question in QUESTIONS[:20])


def test_only_the_first_chunks_change_places() -> None:
    orders = {tuple(retrieve(question, shuffle=4)) for question in QUESTIONS}
    assert {found[4:] for found in orders} == {tuple(USUAL[4:])}
    assert {tuple(sorted(found[:4])) for found in orders} == {tuple(USUAL[:4])}
    assert len(orders) == 24  # every order of four comes up
    assert sorted(retrieve(shuffle=99)) == USUAL


def test_irrelevant_chunks_are_added_at_random_places() -> None:
    places = set()
    for question in QUESTIONS:
        found = retrieve(question, irrelevant=0.5)
        added = [name for name in found if name not in USUAL]
        assert [name for name in found if name in USUAL] == USUAL
        assert len(set(added)) == 5
        assert all(name.startswith("question ") for name in added)
        places |= {found.index(name) for name in added}
    assert places == set(range(15))


def test_irrelevant_chunks_satisfy_the_filters_of_the_query() -> None:
    found = retrieve(filters=SALES, irrelevant=1.0)
    assert len(found) == 12
    assert {name.rpartition("#")[2] for name in found} <= {str(n) for n in range(6)}


def test_what_was_found_for_the_query_is_not_irrelevant() -> None:
    class Same(Shelf):
        def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
            return super().retrieve("anything", filters)

    hits, _ = DegradedRetriever(retriever=Same(), questions=QUESTIONS, irrelevant=1.0).retrieve("a", EVERYONE)
    assert len(hits) == 10
    hits, _ = DegradedRetriever(retriever=Shelf(), questions=["a"], irrelevant=1.0).retrieve("a", EVERYONE)
    assert len(hits) == 10


def test_a_false_copy_stands_beside_its_chunk_with_another_value() -> None:
    retriever = DegradedRetriever(retriever=Shelf(), counterfactual=1.0)
    sides = set()
    for question in QUESTIONS[:20]:
        hits, _ = retriever.retrieve(question, EVERYONE)
        assert len(hits) == 20
        for one, two in zip(hits[::2], hits[1::2], strict=True):
            true, false = (one, two) if two.chunk.id.endswith("~counterfactual") else (two, one)
            sides.add(false is one)
            assert false.chunk.id == f"{true.chunk.id}~counterfactual"
            assert (false.chunk.title, false.chunk.document) == (true.chunk.title, true.chunk.document)
            assert false.chunk.text != true.chunk.text
            assert len(false.chunk.text) == len(true.chunk.text)
    assert sides == {True, False}


def test_a_chunk_without_a_value_has_no_false_copy() -> None:
    class Plain:
        def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
            return [Hit(chunk=Chunk(id="1", text="The tier is gold."), score=1.0)], {}

    hits, _ = DegradedRetriever(retriever=Plain(), counterfactual=1.0).retrieve("Which?", EVERYONE)
    assert [hit.chunk.id for hit in hits] == ["1"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"drop": 1.1}, "retriever.drop=1.1: must be between 0 and 1"),
        ({"counterfactual": -0.1}, "retriever.counterfactual=-0.1: must be between 0 and 1"),
        ({"irrelevant": -1}, "retriever.irrelevant=-1: must be 0 or more"),
        ({"shuffle": -1}, "retriever.shuffle=-1: must be 0 or more"),
    ],
)
def test_a_setting_out_of_range_is_refused(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        DegradedRetriever(retriever=Shelf(), **setting)
    assert str(caught.value) == said
