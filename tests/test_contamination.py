"""What is evaluated must not stand in what is learned from or shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bench.contamination import check_splits
from bench.records import Sample
from bench.tasks.base import Lesson, Suite
from systems.base import Example, Query, UserError


@dataclass(frozen=True)
class Small:
    """A task of given questions."""

    tested: tuple[str, ...]
    trained: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    name: str = "small"
    metrics: tuple[str, ...] = ()

    def samples(self, split: str) -> Sequence[Sample]:
        examples = tuple(Example(query=text, answer="a") for text in self.shown)
        texts = self.tested if split == "test" else ()
        return [
            Sample(id=f"s{n}", task=self.name, query=Query(text=text, examples=examples), reference="a")
            for n, text in enumerate(texts)
        ]

    def lessons(self) -> Sequence[Lesson]:
        return [Lesson(query=Query(text=text), answer=lambda passages: "a") for text in self.trained]


def check(*tasks: Small) -> list[dict[str, str]]:
    return check_splits(Suite(name="suite", tasks=tasks))


def test_separate_splits_have_no_findings() -> None:
    assert check(Small(("Who is it?",), ("What is it?",), ("Where is it?",))) == []


@pytest.mark.parametrize("same", ["Who is it?", "  who   IS it", "Who is the it?!"])
def test_a_question_that_is_trained_on_is_refused_in_any_spelling(same: str) -> None:
    with pytest.raises(UserError, match=r"task small: 1 evaluation question\(s\) also stand in its training.* s1;"):
        check(Small(("Other?", "Who is it?"), trained=(same,)))


def test_a_question_that_is_shown_is_refused() -> None:
    with pytest.raises(UserError, match="in its few-shot examples, first sample s0"):
        check(Small(("Who is it?",), shown=("Who is it?",)))


def test_the_same_question_twice_is_a_note() -> None:
    (finding,) = check(Small(("Who is it?", "who is it", "Other?")))
    assert finding == {"level": "note", "text": "small: 1 evaluation question(s) stand there more than once"}


def test_tasks_are_looked_at_one_by_one() -> None:
    assert check(Small(("Who is it?",)), Small(("Other?",), trained=("Who is it?",), name="other")) == []
