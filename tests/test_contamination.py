"""What is evaluated must not stand in what is learned from or shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from bench.contamination import check_splits
from bench.records import Sample
from bench.tasks.base import Lesson, Suite
from systems.base import Document, Example, Query, UserError


@dataclass(frozen=True)
class Small:
    """A task of given questions."""

    tested: tuple[str, ...]
    trained: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    developed: tuple[str, ...] = ()
    name: str = "small"
    metrics: tuple[str, ...] = ()

    def samples(self, split: str) -> Sequence[Sample]:
        examples = tuple(Example(query=text, answer="a") for text in self.shown)
        texts = {"test": self.tested, "development": self.developed}.get(split, ())
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


def test_what_another_task_trains_on_is_told() -> None:
    (finding,) = check(Small(("Who is it?",)), Small(("Other?",), trained=("Who is it?",), name="other"))
    assert finding["level"] == "warning"
    assert finding["text"] == "small: 1 evaluation question(s) stand in the training of task other, first sample s0"


def test_a_question_of_the_development_split_is_refused() -> None:
    with pytest.raises(UserError, match="in its development split, first sample s0"):
        check(Small(("Who is it?",), developed=("who is it",)))


def test_a_question_both_trained_on_and_developed_on_is_refused() -> None:
    with pytest.raises(UserError, match="of the development split also stand in its training, first 'where is it'"):
        check(Small(("Who is it?",), trained=("Where is it",), developed=("Where is it?",)))


def test_a_question_that_a_document_holds_is_told() -> None:
    task = Small(("Who looks after the blue plan?", "Who is it?"))
    held = Document(id="d", title="", text="FAQ. Who looks after the blue plan? Who is it? Ann does.")
    (finding,) = check_splits(Suite(name="suite", tasks=(task,), corpus=(held,)))
    # The short one may stand anywhere by chance.
    assert finding["text"] == "small: 1 evaluation question(s) stand in the corpus word for word, first sample s0"


@dataclass(frozen=True)
class Answered(Small):
    """Its answers are in two words, and so are those it trains on and shows."""

    def samples(self, split: str) -> Sequence[Sample]:
        examples = tuple(Example(query=text, answer="Ann Ode") for text in self.shown)
        return [
            replace(sample, reference="Ann Ode", query=replace(sample.query, examples=examples))
            for sample in super().samples(split)
        ]

    def lessons(self) -> Sequence[Lesson]:
        return [replace(lesson, answer=lambda passages: "Ann Ode") for lesson in super().lessons()]


LONG = "Who looks after the blue plan and the green plan in winter and in spring?"
NEARLY = "nearly word for word and with their answer, first sample s1"


def test_what_is_trained_on_or_shown_in_nearly_the_same_words_is_told() -> None:
    wrapped = (f"Quickly: {LONG} Thanks.",)
    (learned,) = check(Answered(("Other?", LONG), trained=wrapped))
    assert learned == {
        "level": "warning",
        "text": f"small: 1 evaluation question(s) stand in what is trained on {NEARLY}",
    }
    (shown,) = check(Answered(("Other?", LONG), shown=wrapped))
    assert shown["text"] == f"small: 1 evaluation question(s) stand in the few-shot examples {NEARLY}"
    (elsewhere,) = check(Answered(("Other?", LONG)), Answered((), trained=wrapped, name="other"))
    assert elsewhere["text"] == learned["text"]
    # Told once: what another task trains on word for word is not told again.
    (equal,) = check(Answered(("Other?", LONG)), Answered((), trained=(LONG,), name="other"))
    assert "stand in the training of task other" in equal["text"]


def test_a_document_that_holds_question_and_answer_is_told() -> None:
    faq = Document(id="d", title=LONG.replace("spring", "autumn"), text="In spring as in autumn: Ann Ode.")
    suite = Suite(name="suite", tasks=(Answered(("Other?", LONG)),), corpus=(faq,))
    (finding,) = check_splits(suite)
    assert finding["text"] == f"small: 1 evaluation question(s) stand in the corpus {NEARLY}"
    told = Document(id="d", title="", text=f"{LONG} Ann Ode.")
    (finding,) = check_splits(replace(suite, corpus=(faq, told)))
    assert finding["text"] == "small: 1 evaluation question(s) stand in the corpus word for word, first sample s1"
