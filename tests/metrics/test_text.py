"""Exact match, F1, value matching and abstention."""

from __future__ import annotations

import pytest

from bench.metrics.abstention import is_abstention
from bench.metrics.accuracy import Accuracy
from bench.metrics.exact_match import ExactMatch, exact_match
from bench.metrics.text import contains, normalise, value_tokens
from bench.metrics.token_f1 import TokenF1, token_f1
from tests.metrics.making import prediction, sample


def test_squad_normalisation() -> None:
    assert normalise("The  Cat's, a (small) HAT!") == "cats small hat"


def test_exact_match_and_f1_by_hand() -> None:
    assert exact_match("the Red Fox.", ("fox", "red fox")) == 1
    assert exact_match("a red foxes", ("red fox",)) == 0
    # Two shared tokens of three and four: 2 * 2 / 7.
    assert token_f1("big red fox", "red fox ran far") == pytest.approx(4 / 7)
    assert token_f1("", "red") == 0
    assert token_f1("red red", "red") == pytest.approx(2 / 3)


def test_best_reference_counts_and_citations_are_markup() -> None:
    made = sample("Red Fox", references=("vulpes",))
    assert ExactMatch().score(made, prediction("Vulpes [2]"), {}).value == 1
    assert TokenF1().score(made, prediction("vulpes vulpes"), {}).value == pytest.approx(2 / 3)


def test_a_failed_call_is_wrong_and_other_kinds_do_not_apply() -> None:
    assert ExactMatch().score(sample(), prediction(error="timeout"), {}).value == 0
    assert TokenF1().score(sample(), prediction(error="timeout"), {}).value == 0
    for other in (sample(None), sample({"a": 1}), sample("x", tags={"labels": ["x"]})):
        assert ExactMatch().score(other, prediction("x"), {}).value is None


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("It costs 42 euros.", "42"),
        ("The limit is 1,200 calls", "1200 calls"),
        ("On 2024-03-01.", "2024-03-01"),
        ("A 30-day trial", "30"),
        ("The Eiffel Tower", "eiffel tower"),
        ("see Eiffel Tower", "the Eiffel Tower"),
        ("Price:5", "5"),
        ("it is KX‑42", "KX-42"),
        ("Plan A, I think", "plan A"),
        ("at 10:30 sharp", "10:30"),
        ("a well-known fox", "known fox"),
        ("STRASSE", "straße"),
    ],
)
def test_values_that_are_contained(answer: str, value: str) -> None:
    assert contains(answer, value)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("142", "42"),
        ("420", "42"),
        ("35 GB", "3.5 GB"),
        ("-5 degrees", "5"),
        ("3-5 days", "3"),
        ("KX-421", "KX-42"),
        ("the KX-42", "42"),
        ("Plan B", "plan A"),
        ("2024-03-01", "2024"),
        ("5 %", "5 €"),
        ("anything", ""),
        ("the foxes", "fox"),
        ("version 2.10", "2.1"),
    ],
)
def test_values_that_are_not_contained(answer: str, value: str) -> None:
    assert not contains(answer, value)


def test_tokens_keep_what_makes_a_value() -> None:
    assert value_tokens("Costs €1,234.50, not -7 %.") == ("costs", "€", "1234.50", "not", "-7", "%")


def test_accuracy_ignores_citation_numbers() -> None:
    assert Accuracy().score(sample("2"), prediction("It is 3 [2]"), {}).value == 0


def test_accuracy_asks_the_detector_for_conflicts_only_in_a_closed_world() -> None:
    hedged = prediction("It is 42 or 43.")
    verdicts = {"closed_world": {"conflicts": 1}}
    assert Accuracy().score(sample(tags={"value_kind": "number"}), hedged, verdicts).value == 0
    assert Accuracy().score(sample(tags={"value_kind": "number"}), hedged, {}).value == 1
    assert Accuracy().score(sample(), hedged, verdicts).value == 1


def test_accuracy_of_labels_json_and_the_unanswerable() -> None:
    label = sample("card_lost", tags={"labels": ["card_lost", "other"]})
    assert Accuracy().score(label, prediction(" Card_Lost\n"), {}).value == 1
    assert Accuracy().score(label, prediction("it is card_lost"), {}).value == 0
    made = sample({"name": "Ann", "age": 5})
    assert Accuracy().score(made, prediction('{"age": 5.0, "name": " Ann"}'), {}).value == 1
    assert Accuracy().score(made, prediction('{"age": 5, "name": "Ann", "x": 1}'), {}).value == 0
    assert Accuracy().score(made, prediction('{"age": true, "name": "Ann"}'), {}).value == 0
    assert Accuracy().score(made, prediction("```json\n{}```"), {}).value == 0
    assert Accuracy().score(sample(None), prediction("I don't know."), {}).value == 1
    assert Accuracy().score(sample(None), prediction("42"), {}).value == 0


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "I do not know [1]",
        "Sorry, but I cannot answer that.",
        "I’m sorry, I can’t find that information.",
        "Unknown",
        "N/A",
        "The passages do not mention the price.",
        "The provided context doesn't say.",
        "There is no information about it. The passage only names the owner.",
        "Not stated.",
        "It is not stated in the passages.",
        "I don't have enough information to answer.",
        "Unfortunately, we do not know.",
        "The answer cannot be determined from the context.",
        "I'm sorry. I don't know.",
        "I don't know. Please ask the help desk, they answer within 2 days.",
        "I don't know. The passages are about other plans.",
        "The passages do not say. There is nothing about the fee for 2024 either.".replace(" for 2024", ""),
        "It is not provided in the passages.",
        "Based on the passages, I cannot determine the fee.",
        "I don't know what it is.",
        "Sorry, I do not know, and the passages do not say.",
    ],
)
def test_abstentions(text: str) -> None:
    assert is_abstention(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "I don't know for sure, but it is 42.",
        "I am not sure, maybe 42",
        "The unknown soldier",
        "The contract does not include a penalty.",
        "No",
        "None",
        "It is available.",
        "I don't know. The notice period is 45 days.",
        "I cannot find it in the passages. The notice period is 45 days.",
        "I don't know. The page of another policy says 30 days.",
        "I don't know. The passages say 30 days.",
        "I don't know. Ada Lovelace invented it.",
        "I am sorry. It is 5.",
        "I do not know. I would guess 42.",
        "I don't know. I would say Bob Smith.",
        "I do not have the exact figure. I can tell you it is Bob Smith.",
        "I don't know, it is 5.",
        "I could not find the exact date, the contract ends on 3 May 2026.",
        "The passages do not specify the tier as gold, it is silver.",
        "I do not know the answer. It is not Tuesday, it is Monday.",
        "It is not included.",
        "Not available before 2024-03-01 is plan B? It is 5.".replace("Not available", "Nothing available"),
    ],
)
def test_no_abstentions(text: str) -> None:
    assert not is_abstention(text)
