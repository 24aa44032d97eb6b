"""Whose a wrong answer is: evidence chosen by hand, and counts worked out by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.diagnosis import CLOSED_BOOK, ORACLE_CONTEXT, diagnose
from bench.evidence import evidence, shown_in_full, states
from bench.records import Prediction, Sample, Score
from bench.stats import wilson
from systems.base import Chunk, Query


def chunk(name: str, text: str) -> Chunk:
    return Chunk(id=name, document=name.rpartition("#")[0], text=text)


def sample(relevant: tuple[str, ...] = ("a",), number: int = 0, **more: Any) -> Sample:
    return Sample(id=str(number), task="t", query=Query(text="q"), reference="12 euros", relevant=relevant, **more)


CHUNKS = {
    "a": [chunk("a#0", "Hours: 9 to 5."), chunk("a#1", "The fee is 12 euros."), chunk("a#2", "12 euros a month.")],
    "b": [chunk("b#0", "Anna runs it."), chunk("b#1", "It is in Leeds.")],
    "a#0": [chunk("a#0", "Hours: 9 to 5.")],
}


@pytest.mark.parametrize(
    ("relevant", "names"),
    [
        (("a",), ["a#1", "a#2"]),  # what states the answer
        (("b",), ["b#0", "b#1"]),  # where none is seen to, all in order
        (("a", "b"), ["a#1", "b#0", "a#2", "b#1"]),  # documents take turns
        (("a#0",), ["a#0"]),  # chunks may be labelled themselves
        (("a#0", "a"), ["a#0", "a#1", "a#2"]),
        (("a", "lost"), []),
        ((), []),
    ],
)
def test_the_evidence_of_a_sample(relevant: tuple[str, ...], names: list[str]) -> None:
    assert [found.id for found in evidence(sample(relevant), CHUNKS)] == names


def test_a_fact_is_stated_of_what_was_asked_about_alone() -> None:
    asked = sample(tags={"entity": "a", "phrases": ["fee"]})
    assert states(asked, CHUNKS["a"][1])
    assert not states(asked, CHUNKS["a"][2])
    assert not states(asked, dataclasses.replace(CHUNKS["a"][1], document="b"))
    form = dataclasses.replace(asked, reference={"answer": "12 euros", "document": "a"})
    assert states(form, CHUNKS["a"][1])


def test_evidence_is_shown_in_full_where_a_chunk_of_every_document_is() -> None:
    given = Prediction(
        system="rag", task="t", sample="0", retrieved=("a#1", "b#0"), retrieved_documents=("a", "b"), shown=("a#1",)
    )
    assert shown_in_full(sample(("a",)), given)
    assert shown_in_full(sample(("a#1",)), given)
    assert not shown_in_full(sample(("a", "b")), given)
    assert not shown_in_full(sample(("a#0",)), given)
    assert not shown_in_full(sample(()), given)


def again(condition: str, number: int, text: str, system: str = "rag", **more: Any) -> dict[str, Any]:
    oracle = condition == ORACLE_CONTEXT
    seen = {"retrieved": ("a#1",), "retrieved_documents": ("a",), "shown": ("a#1",)} if oracle else {}
    made = Prediction(system=system, task="t", sample=str(number), text=text, **{**seen, **more})
    return {"condition": condition, **dataclasses.asdict(made)}


def test_the_counts() -> None:
    """Ten answers: 0 is right, 1 to 8 were asked again, 9 was not."""
    samples = [sample(number=number) for number in range(10)]
    values = {number: float(number == 0) for number in range(10)}
    scores = [
        Score(system=system, task="t", sample=str(number), repeat=0, metric=metric, value=value)
        for system in ("rag", "prompt")
        for number, value in values.items()
        for metric in ("accuracy", "exact_match")
    ]
    right, wrong = "It is 12 euros.", "13 euros"
    oracle = {1: right, 2: right, 3: right, 4: wrong, 5: wrong, 6: right, 7: right, 8: right}
    closed = {1: right, 2: wrong, 3: wrong, 4: right, 5: wrong, 6: wrong, 7: wrong, 8: wrong}
    records = [again(ORACLE_CONTEXT, number, text) for number, text in oracle.items()]
    records += [again(CLOSED_BOOK, number, text) for number, text in closed.items()]
    # These tell nothing: the evidence did not fit, a call failed, one condition is missing.
    records[5] = again(ORACLE_CONTEXT, 6, right, shown=())
    records[6] = again(ORACLE_CONTEXT, 7, "", error="time-out")
    del records[-1]
    found = diagnose(samples, scores, records, {"a#1": CHUNKS["a"][1]})
    assert list(found) == ["rag"]
    row = found["rag"]
    assert row["tasks"] == {"t": {key: row[key] for key in row if key != "tasks"}}
    assert (row["wrong"], row["asked"]) == (9, 5)
    for name, count in (("right_with_oracle_context", 3), ("right_closed_book", 2)):
        expected = wilson(count, 5)
        told = row[name]
        assert (told["estimate"], told["low"], told["high"], told["n"]) == (
            expected.estimate, expected.low, expected.high, 5,
        )  # fmt: skip


def test_nothing_asked_again_says_nothing() -> None:
    assert diagnose([sample()], [], [], {}) == {}
