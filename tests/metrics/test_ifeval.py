"""The rules of IFEval against lm-eval's own implementation of them, on many made-up answers."""

from __future__ import annotations

import importlib.util
import random
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.metrics.rules.following import followed
from bench.metrics.rules.registry import OF_LANGUAGE, RULES, arguments, check_rules

WORDS = (
    *("the", "warranty", "WARRANTY", "ends", "Ends", "in", "May", "2026", "NASA", "can't", "CAN'T", "e.g.", "Dr.", "I"),
    *("weekend", "Weekend,", "'weekend'", "stop", "Stop.", "Really?", "Yes!", "well-known", "WELL-KNOWN", "café", "a"),
)
PIECES = (
    *("***", "******", "* ", "*", "- ", "* point one", "- point two", "** ", "*high*", "**bold**", "* *", "****"),
    *("*a**b*", "[name]", "[", "]", "[a [b]", "[]", "<<Title>>", "<<>>", "<< >>", "<<<x>>", ">>", "<<a\n>>"),
    *("P.S. more", "p. s. x", "P.P.S also", "p. p. s", "Section 1", "SECTION 2", "Section3", "Section IV"),
    *("My answer is yes.", "my answer is no.", '"', '"', "'", ",", "\n", "\n", "\n", "\n\n", "\n\n", "\n\n\n"),
    *(" ", "  ", "\t", "```json", "```", '{"a": 1}', "[1, 2]", "First, repeat me.", "weekend plans"),
    *("Is there anything else I can help with?", "any other questions?"),
)
HAS_LANGDETECT = importlib.util.find_spec("langdetect") is not None
NUMBERS = (1, 1, 2, 2, 3, 5)
LOWER = ("this is an english sentence in lower case and nothing else here", "ceci est une phrase en français, bien sûr")
SENTENCES = "length_constraints:number_sentences"
BY_A_MODEL = (SENTENCES, "change_case:capital_word_frequency")
"""The oracle parts sentences by nltk's trained model, which has to be downloaded."""


def text(rng: random.Random) -> str:
    """Words and marks without sense, or an answer of a form that some rule asks for."""
    kind = rng.random()
    if kind < 0.06:
        return rng.choice(["", " ", "\n", "*", "\n\n", "1234 56", *LOWER, *(one.upper() for one in LOWER)])
    if kind < 0.12:
        return rng.choice(
            ["{} \n", ' {"a": [1, 2]}', '```json\n{"a": 1}\n```', "```\n[]\n```", "```JSON\nnull```", "{'a': 1}"]
        )
    if kind < 0.2:
        return rng.choice(['"', "", "* "]) + " ".join(rng.choices(WORDS, k=5)) + rng.choice(['"', "", "\nBye."])
    separator = rng.choice([" ", " ", "\n", "\n\n", "***", "******", ""])
    return separator.join(rng.choice(PIECES if rng.random() < 0.5 else WORDS) for _ in range(rng.randint(1, 30)))


ARGUMENTS: dict[str, Callable[[random.Random], Any]] = {
    "keywords": lambda rng: rng.sample(["warranty", "ends", "weekend", "point", "nasa"], rng.randint(1, 3)),
    "keyword": lambda rng: rng.choice(["warranty", "en", "point", "a", "nasa"]),
    "forbidden_words": lambda rng: rng.sample(["warranty", "end", "stop", "point", "the", "can"], rng.randint(1, 3)),
    "letter": lambda rng: rng.choice("aeNsz"),
    "postscript_marker": lambda rng: rng.choice(["P.S.", "P.P.S"]),
    "section_spliter": lambda rng: rng.choice(["Section", "SECTION"]),
    "prompt_to_repeat": lambda rng: rng.choice(["First, repeat me.", "weekend", "the warranty"]),
    "end_phrase": lambda rng: rng.choice(["Is there anything else I can help with?", "any other questions?", "stop."]),
    "first_word": lambda rng: rng.choice(["weekend", "the", "Stop", "first", "*"]),
    "language": lambda rng: rng.choice(["en", "fr", "de"]),
    **dict.fromkeys(
        ("relation", "let_relation", "capital_relation"), lambda rng: rng.choice(["less than", "at least"])
    ),
}


@pytest.fixture(scope="module")
def oracle() -> Iterator[Any]:
    """lm-eval's IFEval. What it imports for rules that are not asked here is stood in for where it is not installed."""
    nltk = pytest.importorskip("nltk")
    standins = {"immutabledict": {"immutabledict": dict}, "langdetect": {}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nltk, "download", lambda *arguments, **options: False)  # it would fetch a model at import
        for name, contents in standins.items():
            if importlib.util.find_spec(name) is None:
                patch.setitem(sys.modules, name, types.SimpleNamespace(**contents))
        yield pytest.importorskip("lm_eval.tasks.ifeval.utils")
        for name in [name for name in sys.modules if name.startswith("lm_eval.tasks.ifeval")]:
            del sys.modules[name]  # it holds on to what stood in


def drawn(name: str, rng: random.Random) -> dict[str, Any]:
    """A rule with arguments at random."""
    given = {key: ARGUMENTS.get(key, lambda rng: rng.choice(NUMBERS))(rng) for key in arguments(name)}
    if "nth_paragraph" in given:  # the oracle draws another one where it is larger
        given["nth_paragraph"] = min(given["nth_paragraph"], given["num_paragraphs"])
    return {"rule": name, **given}


def judged(name: str, count: int, oracle: Any) -> list[tuple[bool, bool]]:
    """What we and the oracle say, strictly and loosely, of random answers to a random rule of this name."""
    rng = random.Random(f"ifeval-{name}")
    found = []
    for _ in range(count):
        rule, answer = drawn(name, rng), text(rng)
        check_rules([rule], "here")
        given = {key: value for key, value in rule.items() if key != "rule"}
        example = oracle.InputExample(key=1, instruction_id_list=[name], prompt="?", kwargs=[given])
        for loose in (False, True):
            theirs = oracle.test_instruction_following_loose if loose else oracle.test_instruction_following_strict
            found.append((followed(answer, [rule], loose)[0], theirs(example, answer).follow_all_instructions))
    return found


@pytest.mark.parametrize("name", [name for name in RULES if not name.startswith("style:")])
def test_each_rule_is_judged_as_the_oracle_does(name: str, oracle: Any) -> None:
    if name in OF_LANGUAGE:
        if not HAS_LANGDETECT:
            pytest.skip("langdetect, which rules on language need, is not installed")
        sys.modules["langdetect"].DetectorFactory.seed = 0
    if name in BY_A_MODEL and not has_model():
        pytest.skip("nltk's punkt_tab, by which the oracle parts sentences, is not installed")
    found = judged(name, 40 if name == "language:response_language" else 600, oracle)
    assert {ours for ours, _ in found} == {True, False}, "the answers show nothing of this rule"
    unlike = sum(ours != theirs for ours, theirs in found)
    assert unlike <= (0.05 * len(found) if name == SENTENCES else 0)


def has_model() -> bool:
    import nltk

    try:
        return bool(nltk.data.find("tokenizers/punkt_tab/english/"))
    except LookupError:
        return False


def test_the_25_rules_of_the_paper_are_there(oracle: Any) -> None:
    from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT

    assert set(INSTRUCTION_DICT) == {name for name in RULES if not name.startswith("style:")}
    assert len(INSTRUCTION_DICT) == 25
