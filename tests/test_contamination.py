"""What is evaluated must not stand in what is learned from or shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from bench.config import build, compose
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


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ("Où est le café de l'hôtel ?", unicodedata.normalize("NFD", "Où est le café de l'hôtel ?")),
        ("What's Ann's e-mail?", "What’s Ann‘s e‑mail？"),
        ("What is it – and whose?", "What is it—and whose?"),
        ("Who said “yes” to plan 7?", 'Who said "yes" to plan ７?'),
        ("谁负责北京的办公室？", "谁负责北京的办公室"),
        ("担当者は誰ですか？", "担当者は 誰ですか。"),
        ("¿Quién es el dueño?", "Quién es el dueño"),
        ("Wie heißt die Straße?", "WIE HEISST DIE STRASSE?"),
        ("Who is it?", "Who is\u200b it?\ufeff"),
        ("Is it 1,200 euros?", "Is it 1200 euros?"),
    ],
)
def test_a_question_that_looks_the_same_is_refused_however_it_is_written(asked: str, same: str) -> None:
    for one, other in ((asked, same), (same, asked)):
        with pytest.raises(UserError, match="also stand in its training"):
            check(Small((one,), trained=(other,)))


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("Is it 3.5?", "Is it 35?"),
        ("What is 2+3?", "What is 23?"),
        ("What is 12 3?", "What is 1 23?"),
        ("What is 7-2?", "What is 7/2?"),
        ("Is it 5 €?", "Is it 5 £?"),
        ("Who is Ann?", "Who is Anne?"),
        ("Peut-il être sûr ?", "Peut-il être sur ?"),
        ("谁负责北京？", "谁负责南京？"),
    ],
)
def test_a_question_that_says_something_else_is_not_refused(asked: str, other: str) -> None:
    assert check(Small((asked,), trained=(other,))) == []


def test_a_question_that_is_shown_is_refused() -> None:
    with pytest.raises(UserError, match="in its few-shot examples, first sample s0"):
        check(Small(("Who is it?",), shown=("Who is it?",)))


def test_the_same_question_twice_is_a_note() -> None:
    (finding,) = check(Small(("Who is it?", "who is it", "Other?")))
    assert finding == {
        "level": "note",
        "text": "small: 1 of the evaluation questions say what another one of the task says",
    }


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


@pytest.mark.parametrize("suite", ["company", "company_deep", "company_permissions", "company_freshness"])
def test_the_company_asks_for_one_fact_in_wordings_that_are_told_apart(suite: str) -> None:
    made = build(compose([f"suite={suite}", "suite.parity=true"]).suite)
    assert [finding for finding in check_splits(made) if finding["level"] == "warning"] == []
