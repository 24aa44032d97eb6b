"""Questions in nearly the same words elsewhere, counted by hand: wording alone is no contamination."""

from __future__ import annotations

from typing import Any

import pytest

from bench.overlap import COVERED, EDITED, LENGTH, SHORT, SHORTEST, WORDING, Overlap, Text, gives, length_of
from bench.records import Sample
from systems.base import Query

ASKED = "Which of the two engineers signed the maintenance contract for the northern plant last spring?"
"""Twelve words without articles, so ten n-grams of three words: one changed word leaves seven of them or more."""


def sample(text: str = ASKED, reference: Any = "Ann Ode", **more: Any) -> Sample:
    return Sample(id="s", task="t", query=Query(text=text), reference=reference, **more)


def page(text: str) -> Text:
    return Text(text, text)


def held(one: Sample, *texts: Text) -> bool:
    return Overlap([one], texts).with_answer() == [one]


def test_the_definition() -> None:
    assert (LENGTH, SHORT, EDITED, COVERED, SHORTEST, WORDING) == (8, 6, 12, 0.7, 5, 10)
    assert [length_of(count) for count in (5, 6, 11, 12, 16, 17, 33, 34, 200)] == [5, 6, 6, 3, 3, 4, 7, 8, 8]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"FAQ. {ASKED} Ann Ode did.", True),
        (f"{ASKED.upper()} ann ode", True),
        # The first word is another: nine of ten n-grams.
        ("Who of the two engineers signed the maintenance contract for the northern plant last spring? Ann Ode", True),
        # The middle one is another: seven of ten.
        ("Which of the two engineers signed the service contract for the northern plant last spring? Ann Ode", True),
        # Two are others, in two places: four of ten.
        ("Which of the two engineers signed the service contract for the southern plant last spring? Ann Ode", False),
        # The wording, and somebody else.
        (f"{ASKED} Bo Ude did.", False),
        (f"{ASKED} Ann Oder", False),
        # The answer, in words of its own.
        ("Ann Ode signed the contract for the northern plant.", False),
    ],
)
def test_a_page_that_holds_question_and_answer(text: str, found: bool) -> None:
    assert held(sample(), page(text)) is found


def test_question_and_answer_in_two_pages_are_held_by_none() -> None:
    assert not held(sample(), page(ASKED), page("Ann Ode did."))
    # Nor are n-grams of two texts added up.
    first, second = (
        "Which of the two engineers signed the maintenance contract for the",
        "for the northern plant last spring",
    )
    assert not held(sample(), page(f"{first} Ann Ode"), page(f"{second} Ann Ode"))


TEMPLATE = "According to the current price list of the company, what is the number of seats in the plan called {}?"
"""Seventeen words without articles; fourteen n-grams of four words, of which the name at the end is in one."""


def test_a_template_about_something_else_is_not_the_same_question() -> None:
    def lesson(name: str, answer: str = "10") -> Text:
        return Text(f"{TEMPLATE.format(name)}\n{answer}", answer)

    asked = sample(TEMPLATE.format("Zorvex"), "10")
    assert not held(asked, lesson("Brilka"))
    assert held(asked, lesson("Zorvex"))
    assert not held(asked, lesson("Zorvex", "12"))
    assert held(asked, Text(f"Hi! {TEMPLATE.format('Zorvex')} Thanks.\n10", "10"))
    numbered = sample(TEMPLATE.format("number 7"), "10")
    assert not held(numbered, lesson("number 8"))
    # A name in small letters is told from wording where the wording comes with many answers.
    small = sample(TEMPLATE.format("zorvex"), "10")
    assert not held(small, *(lesson(f"other{number}x", str(number)) for number in range(WORDING + 1)))
    assert held(small, *(lesson(f"other{number}x", str(number)) for number in range(WORDING + 1)), lesson("zorvex"))


def test_a_question_in_many_wrappings_is_found_all_the_same() -> None:
    assert held(sample(), *(Text(f"Case {number}: {ASKED}", "Ann Ode") for number in range(50)))


@pytest.mark.parametrize(
    ("question", "found"),
    [("Who keeps the oak barrels?", False), ("Who keeps all the oak barrels?", True)],
    ids=["four words", "five words"],
)
def test_a_short_question_counts_whole(question: str, found: bool) -> None:
    assert held(sample(question), page(f"Q: {question} A: Ann Ode")) is found
    assert not held(sample(question), page(f"Q: {question.replace('oak ', 'oaken ')} A: Ann Ode"))
    assert (Overlap([sample(question)], [page(f"Q: {question} A: nobody")]).word_for_word() != []) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("问：谁在去年签署了北方工厂的维护合同？答：安德。", True),
        ("问:谁在去年签署了北方工厂的维护合同?答:安德.", True),
        ("问：谁在去年签署了北方工厂的维护合同？答：王伟。", False),
        ("谁签了合同？安德。", False),
    ],
)
def test_scripts_without_spaces_are_compared_by_characters(text: str, found: bool) -> None:
    assert held(sample("谁在去年签署了北方工厂的维护合同？", "安德"), page(text)) is found


def test_other_signs_hide_nothing() -> None:
    asked = "What’s the “northern” plant’s part‑number in the maintenance contract that Bo signed last spring？"
    plain = "What's the \"northern\" plant's part-number in the maintenance contract that Bo signed last spring?"
    assert held(sample(asked), page(f"FAQ: {plain} Ann Ode"))
    assert held(sample(plain), page(f"FAQ: {asked} Ann Ode"))


def test_word_for_word_means_in_one_piece() -> None:
    for text, found in ((f"So: {ASKED} Well.", True), (ASKED.replace("spring", "springs"), False), ("", False)):
        assert (Overlap([sample()], [page(text)]).word_for_word() != []) is found


@pytest.mark.parametrize(
    ("reference", "more", "text", "right"),
    [
        ("Ann Ode", {}, "It was Ann Ode.", True),
        ("Ann Ode", {"references": ("A. Ode",)}, "It was A. Ode.", True),
        ("3.5", {}, "35", False),
        ("card_lost", {"tags": {"labels": ["card_lost"]}}, "card_lost", True),
        ({"a": 1}, {}, '{"a": 1}', True),
        ({"a": 1}, {}, '{"a": 2}', False),
        (None, {}, "I don't know.", True),
        (None, {}, "Ann Ode", False),
    ],
)
def test_what_gives_the_answer(reference: Any, more: Any, text: str, right: bool) -> None:
    assert gives(sample("?", reference, **more), text) is right
