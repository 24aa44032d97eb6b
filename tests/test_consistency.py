"""When two answers are alike, and how many of a variant's are."""

from __future__ import annotations

from typing import Any

import pytest

from bench.consistency import agreement, alike
from bench.records import Prediction, Sample
from bench.stats import wilson
from systems.base import Query


def sample(number: int = 0, reference: Any = "12 euros", task: str = "t", **more: Any) -> Sample:
    return Sample(id=str(number), task=task, query=Query(text="q"), reference=reference, **more)


def answer(text: str, system: str = "rag", number: int = 0, **more: Any) -> Prediction:
    return Prediction(system=system, task="t", sample=str(number), text=text, **more)


FORM = {"answer": "12 euros"}
CASES: list[tuple[Sample, str, str, bool]] = [
    (sample(), "12 euros [1]", "12 Euros. [3]", True),
    (sample(), "12 euros", "13 euros", False),
    (sample(), "13 euros", "13 euros", True),  # both wrong
    (sample(), "I don't know.", "It is not stated in the passages.", True),
    (sample(), "I don't know.", "12 euros", False),
    (sample(reference="Desk", tags={"labels": ["Desk"]}), "Desk", " desk ", True),
    (sample(reference="Desk", tags={"labels": ["Desk"]}), "Desk", "Desk.", False),
    (sample(reference=FORM), '{"a": 1, "b": 2}', '{"b": 2.0,\n "a": 1}', True),
    (sample(reference=FORM), '{"a": 1}', '{"a": 2}', False),
    (sample(reference=FORM), '{"a": 1', '{"a": 1', True),
    (sample(reference=FORM), '{"a": 1', '{"a": 1}', True),  # malformed, and the same words
]


@pytest.mark.parametrize(("asked", "one", "two", "expected"), CASES)
def test_what_is_alike(asked: Sample, one: str, two: str, expected: bool) -> None:
    assert alike(asked, answer(one), answer(two)) == expected
    assert alike(asked, answer(two), answer(one)) == expected


def test_a_failed_call_is_like_nothing() -> None:
    assert not alike(sample(), answer("", error="time-out"), answer("", error="time-out"))


def test_the_share_is_over_the_answers_both_gave() -> None:
    samples = [sample(number) for number in range(4)]
    predictions = [
        *(answer("12 euros", "rag", number) for number in range(4)),
        *(answer("12 euros" if number else "9 euros", "rag_1", number) for number in range(3)),
        answer("nothing to do with it", "prompt"),
    ]
    found = agreement(samples, predictions, {"rag_1": {"of": "rag", "differs_in": ["top_k"]}})
    assert list(found) == ["rag_1"]
    row = found["rag_1"]
    expected = wilson(2, 3)
    assert (row["of"], row["differs_in"]) == ("rag", ["top_k"])
    assert row["alike"] == row["tasks"]["t"]
    assert (row["alike"]["estimate"], row["alike"]["low"], row["alike"]["high"], row["alike"]["n"]) == (
        expected.estimate, expected.low, expected.high, 3,
    )  # fmt: skip


def test_samples_of_one_cluster_are_one_observation() -> None:
    samples = [sample(number, cluster=f"document {number // 10}") for number in range(40)]
    predictions = [
        answer("12 euros" if system == "rag" or number < 20 else "9", system, number)
        for system in ("rag", "mine")
        for number in range(40)
    ]
    row = agreement(samples, predictions, {"mine": {"of": "rag", "differs_in": []}})["mine"]
    assert row["alike"]["estimate"] == 0.5
    assert "cluster" in row["alike"]["method"]
    assert row["alike"]["low"] < wilson(20, 40).low  # type: ignore[operator]
