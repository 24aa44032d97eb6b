"""Numbers, quantities and dates compared by value; what an answer denies; spellings that are the same."""

from __future__ import annotations

import unicodedata

import pytest

from bench.detectors.closed_world import ClosedWorld
from bench.metrics.accuracy import Accuracy
from bench.metrics.coverage import Coverage
from bench.metrics.exact_match import exact_match
from bench.metrics.leak import LeakRate
from bench.metrics.stale import StaleRate
from bench.metrics.text import contains
from bench.metrics.token_f1 import token_f1
from bench.metrics.values import whole_value
from tests.metrics.making import prediction, sample

SAME = [
    ("12 May 2026", "May 12th, 2026"),
    ("12 May 2026", "2026-05-12"),
    ("12 May 2026", "12.05.2026"),
    ("2024-03-01", "March 1, 2024"),
    ("3 April 2026", "03/04/2026"),
    ("March 4, 2026", "03/04/2026"),
    ("12 percent", "12%"),
    ("12 percent", "12.0 percent"),
    ("24.5%", "24.50%"),
    ("5%", "5 percent"),
    ("1450 euros", "EUR 1,450"),
    ("1450 euros", "It is €1,450."),
    ("1450 euros", "1 450 €"),
    ("1450 euros", "1.450,00 euros"),
    ("1450 euros", "1450"),
    ("$1577.00", "$1577"),
    ("$1,000", "$1000.00"),
    ("$1.5 billion", "1,500 million dollars"),
    ("-$5", "-5 dollars"),
    ("36 months", "36-month term"),
    ("24 months", "2 years"),
    ("18 months", "1 year and 6 months"),
    ("36 months", "raised from 24 months to 36 months"),
    ("1.5 kg", "1500 g"),
    ("1.5", "1.50"),
    ("1000000", "1 million"),
    ("2024", "on March 1, 2024"),
]
OTHER = [
    ("5", "5 million"),
    ("20", "20%"),
    ("20%", "20"),
    ("20", "20 thousand"),
    ("20", "the 20th"),
    ("5", "5G"),
    ("5", "-5"),
    ("12 May 2026", "12 May 2025"),
    ("12 May 2026", "13/05/2026"),
    ("1", "March 1, 2024"),
    ("24 months", "24 days"),
    ("24 months", "between 12 and 24 months"),
    ("24 months", "24 to 36 months"),
    ("1450 euros", "$1450"),
    ("1450 euros", "1450 people"),
    ("2.1", "version 2.10"),
    ("30", "10:30"),
    ("9" * 5000, "9"),
]
NAMES = ["Boeing 747", "U2", "Apollo 11", "version 2.0", "12 Angry Men", "007", "555-1234", "1.2.3", "42nd", "May 2024"]


@pytest.mark.parametrize(("value", "answer"), SAME)
def test_one_value_in_two_ways_of_writing(value: str, answer: str) -> None:
    assert contains(answer, value)
    assert Accuracy().score(sample(value), prediction(answer), {}).value == 1
    assert LeakRate().score(sample(None, tags={"secret": value}), prediction(answer), {}).value == 1
    assert StaleRate().score(sample(tags={"stale": value}), prediction(answer), {}).value == 1
    assert Coverage().score(sample(tags={"required": [value]}), prediction(answer), {}).value == 1


@pytest.mark.parametrize(("value", "answer"), OTHER)
def test_other_values_in_nearly_the_same_words(value: str, answer: str) -> None:
    assert not contains(answer, value)


@pytest.mark.parametrize("name", NAMES)
def test_names_with_digits_are_no_values(name: str) -> None:
    assert whole_value(name) is None
    assert contains(f"It is {name}, I think", name)


def test_names_do_not_stand_in_other_names() -> None:
    assert not contains("Boeing 7470", "Boeing 747")
    assert not contains("C++", "C")
    assert not contains("C#", "C")
    assert contains("written in C++.", "C++")


@pytest.mark.parametrize(
    ("kind", "value", "answer"),
    [
        ("months", "24 months", "2 years"),
        ("money", "1450 euros", "1450"),
        ("percent", "12 percent", "12.0%"),
        ("date", "12 May 2026", "12/05/2026"),
    ],
)
def test_what_the_closed_world_check_calls_true_is_right(kind: str, value: str, answer: str) -> None:
    made = sample(value, tags={"value_kind": kind, "phrases": ["term"], "entity": "E"})
    verdict = ClosedWorld().judge(made, prediction(answer), ())
    assert verdict is not None
    assert verdict["unfactual"] is False
    assert Accuracy().score(made, prediction(answer), {"closed_world": verdict}).value == 1


@pytest.mark.parametrize(
    ("reference", "answer", "right"),
    [
        ("24 months", "The warranty is not 24 months but 12 months.", 0),
        ("24 months", "The warranty is not 12 months but 24 months.", 1),
        ("24 months", "It is 24 months or 36 months, I am not sure which.", 0),
        ("24 months", "It is 24 months or 2 years.", 1),
        ("Paris", "Not Paris", 0),
        ("Paris", "It isn’t Paris.", 0),
        ("Paris", "Paris is wrong.", 0),
        ("Paris", "Not only Paris", 1),
        ("Paris", "It is not Lyon, it is Paris. Not Paris would be wrong.", 1),
        ("yes", "No. Yes would be wrong.", 0),
        ("yes", "The answer is yes.", 1),
        ("no", "I know no reason", 0),
        ("no", "No, they are not.", 1),
        ("no", "The answer is no, not yes.", 1),
    ],
)
def test_what_is_denied_or_left_open_is_not_said(reference: str, answer: str, right: float) -> None:
    assert Accuracy().score(sample(reference), prediction(answer), {}).value == right


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (unicodedata.normalize("NFC", "Beyoncé"), unicodedata.normalize("NFD", "Beyoncé")),
        ("O'Brien", "O’Brien"),
        ("Straße", "STRASSE"),
        ("−5", "-5"),
    ],
)
def test_spellings_of_one_text(one: str, two: str) -> None:
    assert exact_match(one, (two,)) == 1
    assert token_f1(two, one) == 1


@pytest.mark.parametrize(
    ("answer", "value", "held"),
    [
        ("答えは東京です", "東京", True),
        ("答えは京都です", "東京", False),
        ("in the US", "U.S.", True),
        ("J. R. R. Tolkien", "J.R.R. Tolkien", True),
        ("Plan A. I think", "plan A", True),
        ("10⁶", "106", False),
    ],
)
def test_other_scripts_initials_and_raised_digits(answer: str, value: str, held: bool) -> None:
    assert contains(answer, value) is held
