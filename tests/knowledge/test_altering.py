"""A false copy: other values, the same person and the same words, and the same lie wherever a value stands."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.knowledge.altering import MONTHS, WEEKDAYS, altered


def test_values_change_and_what_is_said_of_whom_stays() -> None:
    text = "The monthly fee of Brask Tolven is 1240 euros. Its owner is Mara Velden, code KX-4242, from 12 March 2031."
    said = altered(text, keep="Brask Tolven - Fees", seed="s")
    shape = r"The monthly fee of Brask Tolven is (\d{4}) euros\. Its owner is (\w{4} \w{6}), code (\w\w-\d{4}), from "
    found = re.fullmatch(shape + r"(\d\d) (\w+) (\d{4})\.", said)
    assert found is not None
    before = ("1240", "Mara Velden", "KX-4242", "12", "March", "2031")
    assert all(new != old for new, old in zip(found.groups(), before, strict=True))
    assert found[5] in MONTHS
    assert 10 <= int(found[4]) <= 28
    assert abs(int(found[6]) - 2031) <= 9


def test_a_value_becomes_the_same_other_one_wherever_it_stands() -> None:
    said = altered("Owner: Mara. It is 77 for Mara and 77 for others.", seed="s")
    first, second = re.findall(r"\d+", said)
    names = re.findall(r"(?:Owner:|for) ([A-Z]\w+)", said)
    assert first == second != "77"
    assert names[0] == names[1] != "Mara"
    assert altered("Owner: Mara. It is 77 for Mara and 77 for others.", seed="s") == said
    assert altered("Owner: Mara. It is 77 for Mara and 77 for others.", seed="t") != said


@pytest.mark.parametrize(
    "text", ["The tier is gold.", "No value here. None there!\nNor there.", "| Item | so |\n| Else |"]
)
def test_common_words_and_openings_stay(text: str) -> None:
    assert altered(text, seed="s") == text


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)), st.text(max_size=3))
def test_an_iso_date_stays_a_date(day: datetime.date, seed: str) -> None:
    said = altered(f"It ends on {day.isoformat()}.", seed=seed).removeprefix("It ends on ").removesuffix(".")
    found = datetime.date.fromisoformat(said)
    assert (found.year, found.month) != (day.year, day.month)
    assert found.day != day.day


@given(st.integers(min_value=0, max_value=10**6), st.integers(min_value=0, max_value=3), st.text(max_size=3))
def test_a_number_becomes_another_of_as_many_digits(value: int, zeros: int, seed: str) -> None:
    digits = "0" * zeros + str(value)
    said = altered(f"It is {digits} in all.", seed=seed).removeprefix("It is ").removesuffix(" in all.")
    assert said.isdigit()
    assert len(said) == len(digits)
    assert said != digits
    assert (said[0] == "0") <= (digits[0] == "0" or len(digits) == 1)


def test_weekdays_become_others() -> None:
    assert {altered(day, seed="s") for day in WEEKDAYS} <= set(WEEKDAYS)
    assert all(altered(day, seed="s") != day for day in WEEKDAYS)
