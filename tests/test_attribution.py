"""Failure attribution: one made-up wrong answer for every cause, and the first cause wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.attribution import CAUSES, attribute, cause
from bench.records import Prediction, Sample, Score
from systems.base import Chunk, Query

CORPUS = frozenset({"right", "wrong", "other"})


def sample(reference: Any = "12 euros", relevant: tuple[str, ...] = ("right",)) -> Sample:
    return Sample(id="1", task="t", query=Query(text="q"), reference=reference, relevant=relevant)


def prediction(text: str = "13 euros", documents: str = "", shown: str = "", **more: Any) -> Prediction:
    """``documents``: those of the retrieved chunks 0, 1, ...; ``shown``: numbers of the chunks in the prompt."""
    return Prediction(
        system="s",
        task="t",
        sample="1",
        text=text,
        retrieved=tuple(str(number) for number, _ in enumerate(documents.split())),
        retrieved_documents=tuple(documents.split()),
        shown=tuple(shown.split()),
        **more,
    )


FORM = {"answer": "12 euros"}
ASKED = Query(text="q", schema={"type": "object", "required": ["answer"]})
CASES: list[tuple[str, Sample, Prediction, dict[str, Any]]] = [
    ("no call", sample(), prediction("", error="time-out"), {}),
    ("not in corpus", sample(relevant=("lost",)), prediction(documents="wrong", shown="0"), {}),
    ("not retrieved", sample(), prediction(documents="wrong wrong", shown="0 1"), {}),
    ("not retrieved", sample(), prediction(timings={"search": 0.01}), {}),
    ("not retrieved", sample(), prediction(documents="wrong right", shown="0 1"), {"holds": [False, False]}),
    ("retrieved but not shown", sample(), prediction(documents="wrong right", shown="0"), {"holds": [False]}),
    ("right but malformed", sample(FORM), prediction('Here: {"answer": "12 euros"}'), {}),
    ("right but malformed", sample(FORM), prediction('```json\n{"answer": "12 euros"}\n```', "right", "0"), {}),
    ("refused", sample(), prediction("I don't know.", "right wrong", "0 1"), {"holds": [True, False]}),
    ("refused", sample(), prediction("I don't know."), {}),
    ("shown but misread", sample(), prediction(documents="wrong right", shown="0 1"), {"holds": [False, True]}),
    ("shown but misread", sample(FORM), prediction('{"answer": "9 euros"}', "right", "0"), {}),
    ("malformed", replace(sample(FORM), query=ASKED), prediction("the answer is 9", "right", "0"), {}),
    ("malformed", replace(sample(FORM), query=ASKED), prediction('{"reply": "9 euros"}'), {}),
    ("shown but misread", replace(sample(FORM), query=ASKED), prediction('{"answer": "9"}', "right", "0"), {}),
    ("not known", sample(), prediction(), {}),
    ("asserted what nobody knows", sample(None, ()), prediction(documents="wrong", shown="0"), {}),
    (
        "told what may not be seen",
        Sample(id="1", task="t", query=Query(text="q"), reference=None, tags={"secret": "13 euros"}),
        prediction(documents="wrong", shown="0"),
        {},
    ),
    # All the evidence is needed, and one part of it was not found.
    ("not retrieved", sample(relevant=("right", "other")), prediction(documents="right wrong", shown="0 1"), {}),
    (
        "retrieved but not shown",
        sample(relevant=("right", "other")),
        prediction(documents="right other", shown="0"),
        {},
    ),
    # Passages of which nobody knows the documents say nothing of the retrieval.
    ("not known", sample(), prediction(shown="a b"), {}),
    ("not known", sample("Desk", ()), prediction("Another"), {}),
    # The first cause wins: a refusal for want of the passage is a miss of retrieval.
    ("not retrieved", sample(), prediction("I don't know.", "wrong", "0"), {}),
]


@pytest.mark.parametrize(
    ("expected", "asked", "given", "verdict"), CASES, ids=[f"{n}: {c[0]}" for n, c in enumerate(CASES)]
)
def test_the_first_cause(expected: str, asked: Sample, given: Prediction, verdict: dict[str, Any]) -> None:
    assert cause(asked, given, CORPUS, verdict) == expected


def test_what_states_the_fact_may_have_been_found_and_not_shown() -> None:
    tags = {"entity": "right", "phrases": ["fee"]}
    asked = Sample(id="1", task="t", query=Query(text="q"), reference="12 euros", relevant=("right",), tags=tags)
    given, verdict = prediction(documents="right right", shown="0"), {"holds": [False]}
    states = Chunk(id="1", document="right", text="The fee is 12 euros.")
    assert cause(asked, given, CORPUS, verdict, {"1": states}) == "retrieved but not shown"
    assert cause(asked, given, CORPUS, verdict, {"1": Chunk(id="1", document="right", text="Else.")}) == "not retrieved"


def test_without_a_list_of_documents_nothing_is_missing_from_them() -> None:
    given = prediction(documents="wrong", shown="0")
    assert cause(sample(relevant=("lost",)), given, None, {}) == "not retrieved"


def test_every_cause_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(CAUSES)


def test_only_wrong_answers_are_counted_and_each_once() -> None:
    samples = [
        Sample(id=str(n), task="t", query=Query(text="q"), reference="12 euros", relevant=("right",)) for n in range(3)
    ]
    predictions = [Prediction(system="s", task="t", sample=str(n), text="13 euros") for n in range(3)]
    values = {"0": 1.0, "1": 0.0, "2": None}
    scores = [
        Score(system="s", task="t", sample=n, repeat=0, metric=metric, value=value)
        for n, value in values.items()
        for metric in ("accuracy", "exact_match")
    ]
    assert attribute(samples, predictions, scores, {}, CORPUS) == {"s": {"t": {"not known": 1}}}
    verdicts = {("s", "t", "1", 0): {"closed_world": {"holds": [False]}}}
    shown = [
        Prediction(
            system="s", task="t", sample="1", text="13 euros", retrieved=("0",), retrieved_documents=("right",),
            shown=("0",),
        )
    ]  # fmt: skip
    assert attribute(samples, shown, scores, verdicts, CORPUS) == {"s": {"t": {"not retrieved": 1}}}
    assert attribute(samples, shown, scores, {}, CORPUS) == {"s": {"t": {"shown but misread": 1}}}
