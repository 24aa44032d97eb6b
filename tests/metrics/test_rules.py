"""Rules of form: each worked out by hand, strict and loose, and what a wrong one is told."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from bench.metrics.accepted import Accepted
from bench.metrics.base import DECLARED
from bench.metrics.rule_share import RuleShare
from bench.metrics.rules.counting import count_capital_words, count_sentences, count_words
from bench.metrics.rules.following import followed, versions
from bench.metrics.rules.language import in_language, languages
from bench.metrics.rules.registry import OF_LANGUAGE, RULES, arguments, check_rules, told
from bench.metrics.rules_followed import RulesFollowed
from systems.base import UserError
from tests.metrics.making import prediction, sample

LETTER = "## Summary\nAll is well.\n\n**Next steps:** call us\n"

CASES: list[tuple[str, dict[str, Any], list[str], list[str]]] = [
    ("keywords:existence", {"keywords": ["war", "C++"]}, ["Warm c++"], ["war", "c+ war"]),
    ("keywords:frequency", {"keyword": "a.b", "frequency": 2, "relation": "at least"}, ["a.b, A.B"], ["a.b aab"]),
    ("keywords:frequency", {"keyword": "war", "frequency": 2, "relation": "less than"}, ["warm"], ["war, warm"]),
    ("keywords:forbidden_words", {"forbidden_words": ["can", "C++"]}, ["canned C+"], ["Can we?", "in C++."]),
    (
        "keywords:letter_frequency",
        {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
        ["#one #two"],
        ["#one"],
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "less than"},
        ["Dr. Ada paid 3.5 e.g. in May"],
        ["One. Two."],
    ),
    (
        "length_constraints:number_paragraphs",
        {"num_paragraphs": 2},
        ["one***two", "***\none\n***\ntwo\n***"],
        ["one", "one******two", "one\n\ntwo"],
    ),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, ["don't go"], ["well done"]),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Two"},
        ["one\n\n'two,' he said", 'one\n\n"TWO".'],
        ["one\n\ntwofold", "one\n\n\n\ntwo", "one\n\ntwo\n\nthree", "two"],
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, ["[a] [b c]", "[[a] []"], ["[a\nb]", "[a] [b"]),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, ["p. p.s: x"], ["P.S. x", "pps"]),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, ["Bye. P. S. x"], ["PS x"]),
    ("detectable_format:constrained_response", {}, ["So: My answer is no."], ["My answer is no!", "no"]),
    (
        "detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        ["* a\n\n  - b", "*a\n-b"],
        ["* a", "** a\n* b", "* a\n* b\n---"],
    ),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        ["*a* and **b**"],
        ["*a*", "* * **", "*a\nb*"],
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Part", "num_sections": 2},
        ["Part 1 x Part2"],
        ["part 1 part 2", "Part one"],
    ),
    (
        "detectable_format:json_format",
        {},
        ['{"a": 1}', "```json\n[1]\n```", " null "],
        ["{'a': 1}", "So: {}", "[" * 20_000, "9" * 5000],
    ),
    ("detectable_format:title", {}, ["x <<a b>> y", "<<<a>>>"], ["<<>>", "<< >>", "<<a\nb>>", "<a>"]),
    (
        "combination:two_responses",
        {},
        ["a******b", "******\na\n******\nb"],
        ["a******a", "a", "a************b", "a***b"],
    ),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say hi."}, ["\nsay HI. Hi"], ["Hi. Say hi."]),
    ("startend:end_checker", {"end_phrase": "Bye now."}, ['"So, bye now."'], ["Bye now. P.S."]),
    ("startend:quotation", {}, [' "a" '], ['"', '"a', "'a'"]),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        ["I SAID so", "CAN'T"],
        ["WELL-KNOWN and Iso", "OK, 42"],
    ),
    ("punctuation:no_comma", {}, ["a; b，"], ["a, b"]),
    ("style:begins_with", {"phrase": "Dear customer"}, ["\n dear Customer, hello"], ["Hello. Dear customer"]),
    (
        "style:sections",
        {"headings": ["Summary", "Next steps:"]},
        [LETTER, "1. summary: fine\n2) Next Steps\nnone", "Hello\nSummary\nx\nRisks\ny\nNext steps\nz"],
        ["Next steps: x\nSummary: y", "Summary:\n\nNext steps: x", "Summary: x", "In Summary: x\nNext steps: y", ""],
    ),
    ("style:max_words", {"words": 3}, ["one two three"], ["one two three four"]),
    (
        "style:forbidden_phrases",
        {"phrases": ["we're sorry", "ASAP"]},
        ["we are sorry", "asaps"],
        ["We’re\n sorry!", "asap."],
    ),
    (
        "style:no_first_person_singular",
        {},
        ["We said, i.e. here (i), I/O of A.I., the i-th, mining meow"],
        ["So do I.", "(I think)", "I'm in", "(as told to me)", "It is MINE"],
    ),
]
"""Rule, arguments, texts that follow it, texts that do not."""


@pytest.mark.parametrize(("name", "given", "right", "wrong"), CASES, ids=[case[0] for case in CASES])
def test_what_each_rule_asks(name: str, given: dict[str, Any], right: list[str], wrong: list[str]) -> None:
    rules = [{"rule": name, **given}]
    check_rules(rules, "here")
    assert {text: followed(text, rules) for text in right} == dict.fromkeys(right, (True,))
    assert {text: followed(text, rules) for text in wrong} == dict.fromkeys(wrong, (False,))


def test_every_rule_has_a_case() -> None:
    assert {case[0] for case in CASES} | set(OF_LANGUAGE) == set(RULES)


def test_what_is_counted() -> None:
    assert count_words("Don't: 3.5 well-known café_s") == 7
    assert count_sentences('He said "Stop." Then Mr. Ash left... No?! 3.5 km.\n\nNo stop here') == 5
    assert count_sentences("") == 0
    assert count_capital_words("NASA's B-52 COULDN'T fly. END. I") == 6


def test_languages_are_told_where_langdetect_is() -> None:
    pytest.importorskip("langdetect", reason="rules on language need langdetect")
    assert {"en", "de", "zh-cn"} <= set(languages())
    assert in_language("Das Fenster steht offen und es regnet herein.", "de")
    assert in_language("42", "de")  # nothing tells it
    english = "THE WINDOW IS OPEN AND THE RAIN COMES IN"
    rules = [{"rule": name, **({"language": "en"} if arguments(name) else {})} for name in OF_LANGUAGE]
    assert followed(english, rules) == (True, True, False)
    assert followed(english.lower(), rules) == (True, False, True)
    assert followed("DAS FENSTER STEHT OFFEN UND ES REGNET HEREIN", rules) == (False, False, False)
    with pytest.raises(UserError, match=r"language='english' must be one of af, ar, "):
        check_rules([{"rule": "language:response_language", "language": "english"}], "here")


@pytest.mark.parametrize("name", OF_LANGUAGE)
def test_without_langdetect_the_rules_on_language_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.metrics.rules import language

    monkeypatch.setitem(sys.modules, "langdetect", None)
    monkeypatch.setitem(sys.modules, "langdetect.detector_factory", None)
    language._factory.cache_clear()
    with pytest.raises(UserError, match="need langdetect; pip install langdetect") as error:
        check_rules([{"rule": name, **({"language": "en"} if arguments(name) else {})}], "here")
    assert str(error.value).startswith("here: rule 1: ")
    assert "\n" not in str(error.value)


def test_a_text_that_takes_too_long_to_part_follows_no_rule_on_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    redos = pytest.importorskip("nltk.redos", reason="this nltk sets no limit of time")
    endless = "So it goes. " * 20_000
    rules = [{"rule": "length_constraints:number_sentences", "num_sentences": 2, "relation": "at least"}]
    assert followed(endless, rules) == (True,)
    monkeypatch.setattr(redos, "DEFAULT_TIMEOUT", 1e-4)
    assert followed(endless + "!", rules) == (False,)


MISTAKES: list[tuple[Any, str]] = [
    ({}, 'here: rules must be a list such as [{"rule": "style:max_words", "words": 80}]'),
    ([], "here: rules must be a list such as "),
    (["style:max_words"], 'here: rule 1: must be an object such as {"rule": "style:max_words", "words": 80}'),
    ([{"words": 80}], "here: rule 1: must be an object such as "),
    ([{"rule": ["a"]}], "here: rule 1: must be an object such as "),
    ([{"rule": "punctuation:no_comma"}, {"rule": "style:max"}], "here: rule 2: unknown rule 'style:max'; there are: "),
    ([{"rule": "style:max_words"}], "here: rule 1: style:max_words needs words: a whole number, 0 or more"),
    ([{"rule": "style:max_words", "word": 8}], "here: rule 1: style:max_words has no argument 'word'; it has: words"),
    ([{"rule": "punctuation:no_comma", "x": 1}], "punctuation:no_comma has no argument 'x'; it has: none"),
    ([{"rule": "style:max_words", "words": "8"}], "style:max_words: words='8' must be a whole number, 0 or more"),
    ([{"rule": "style:max_words", "words": True}], "words=True must be a whole number, 0 or more"),
    ([{"rule": "style:max_words", "words": -1}], "words=-1 must be a whole number, 0 or more"),
    ([{"rule": "style:sections", "headings": []}], "headings=[] must be a list of texts, none of them blank"),
    ([{"rule": "style:sections", "headings": "Summary"}], "headings='Summary' must be a list of texts"),
    ([{"rule": "style:begins_with", "phrase": " "}], "phrase=' ' must be a text that is not blank"),
    (
        [{"rule": "keywords:letter_frequency", "letter": "ab", "let_frequency": 1, "let_relation": "at least"}],
        "letter='ab' must be one character",
    ),
    (
        [{"rule": "length_constraints:number_words", "num_words": 3, "relation": "at most"}],
        "relation='at most' must be 'less than' or 'at least'",
    ),
    (
        [
            {
                "rule": "length_constraints:nth_paragraph_first_word",
                "num_paragraphs": 1,
                "nth_paragraph": 0,
                "first_word": "a",
            }
        ],
        "nth_paragraph=0 must be a whole number, 1 or more",
    ),
]


@pytest.mark.parametrize(("rules", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_wrong_rule_is_one_line(rules: Any, message: str) -> None:
    with pytest.raises(UserError) as error:
        check_rules(rules, "here")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


SHORT = {"rule": "style:max_words", "words": 3}
POLITE = {"rule": "style:begins_with", "phrase": "Dear Ann"}
PLAIN = {"rule": "punctuation:no_comma"}


def test_loosely_first_and_last_lines_and_asterisks_are_forgiven_rule_by_rule() -> None:
    text = "Sure, here it is:\n**Dear Ann**\nIs it fine?"
    assert versions("a\n*b*\nc") == ["a\n*b*\nc", "*b*\nc", "a\n*b*", "*b*", "a\nb\nc", "b\nc", "a\nb", "b"]
    assert versions("one *line*") == ["one *line*", "", "one line"]
    assert followed(text, [SHORT, POLITE, PLAIN]) == (False, False, False)
    assert followed(text, [SHORT, POLITE, PLAIN], loose=True) == (True, True, True)
    # Only as many versions as leave something: without its one line nothing is left to follow a rule.
    assert followed("a, b", [PLAIN], loose=True) == (False,)
    for nothing in ("", " \n"):
        assert followed(nothing, [SHORT, PLAIN]) == followed(nothing, [SHORT, PLAIN], loose=True) == (False, False)


def test_answers_and_rules_are_counted_apart() -> None:
    asked = sample(None, open=True, tags={"rules": [SHORT, POLITE, PLAIN]})
    strict, loose = RulesFollowed(), RulesFollowed(loose=True)
    assert strict.score(asked, prediction("Dear Ann!"), {}).value == 1
    broken = strict.score(asked, prediction("Hello,\nDear Ann!"), {})
    assert (broken.value, broken.detail) == (0, {"broken": ["style:begins_with", "punctuation:no_comma"]})
    assert loose.score(asked, prediction("Hello,\nDear Ann!"), {}).value == 1
    assert RuleShare().score(asked, prediction("Hello,\nDear Ann!"), {}).value == pytest.approx(1 / 3)
    assert RuleShare(loose=True).score(asked, prediction("Hello,\nDear Ann!"), {}).value == 1
    for nothing in (prediction(""), prediction("Dear Ann!", error="time-out")):
        for metric in (strict, loose, RuleShare(), RuleShare(loose=True)):
            assert metric.score(asked, nothing, {}).value == 0
    for metric in (strict, loose, RuleShare(), RuleShare(loose=True)):
        assert metric.score(sample(), prediction("42"), {}).value is None


def test_an_answer_with_more_rules_weighs_more_in_the_share_of_rules() -> None:
    samples = [sample(None, tags={"rules": [SHORT, POLITE, PLAIN]}), sample(None, tags={"rules": [PLAIN]})]
    table = RuleShare().counts(samples, [prediction("a b c d"), prediction("a")])
    assert table.tolist() == [[1, 3], [1, 1]]
    assert RuleShare().fold(table.sum(axis=0)) == 0.5
    assert RuleShare().fold(np.stack([table.sum(axis=0), table[1]])).tolist() == [0.5, 1]
    assert not RuleShare().applies(sample())


def test_what_is_accepted_follows_its_rules_and_needs_no_reference() -> None:
    made_up = {DECLARED: {"unfactual": None, "unfaithful": True}}
    asked = sample(None, open=True, tags={"rules": [SHORT]})
    assert Accepted().score(asked, prediction("I don't know."), {}).detail == {"missing": "well-formed"}
    assert Accepted().score(asked, prediction("no idea"), {}).value == 1
    assert Accepted().score(asked, prediction("a b c", shown=("c1",)), made_up).detail == {"missing": "faithful"}
    assert Accepted().score(asked, prediction("", error="time-out"), {}).detail == {"missing": "answer"}
    known = sample("42", tags={"rules": [SHORT]})
    assert Accepted().score(known, prediction("42"), {}).value == 1
    assert Accepted().score(known, prediction("it is 42 today"), {}).detail == {"missing": "well-formed"}
    assert Accepted().score(known, prediction("43"), {}).detail == {"missing": "correct"}


def test_the_rules_as_a_person_reads_them() -> None:
    assert told([SHORT, PLAIN]) == "style:max_words, words: 3\npunctuation:no_comma"
