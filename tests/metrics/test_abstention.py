"""Refusals in anybody's words, and how well they are told from answers: measured on replies labelled by hand.

The file was written and split, by a fixed seed, before the rule was made; the rule was made on its first half.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.detectors.closed_world import ClosedWorld
from bench.detectors.quality import known
from bench.metrics.abstention import is_abstention
from bench.metrics.accuracy import Accuracy
from bench.metrics.foreign_refusals import FOREIGN
from bench.metrics.hallucination import HallucinationRate
from bench.metrics.outcome import AbstentionRecall
from bench.stats.intervals import wilson
from tests.metrics.making import prediction, sample

FILE = Path(__file__).resolve().parent.parent / "data" / "abstention.jsonl"
REPLIES = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def test_the_published_figures_are_those_of_the_replies_held_out() -> None:
    found = [(is_abstention(one["text"]), one["abstains"]) for one in REPLIES if one["split"] == "held_out"]
    assert (len(REPLIES), len(found), sum(label for _, label in found)) == (277, 138, 68)
    right = sum(said and label for said, label in found)
    for name, of in (("precision", sum(said for said, _ in found)), ("recall", sum(label for _, label in found))):
        share = wilson(right, of)
        assert [share.estimate, share.low, share.high] == pytest.approx(known()["abstention"][name], abs=5e-4)


@pytest.mark.parametrize("one", [one for one in REPLIES if one["split"] == "development"], ids=lambda one: one["text"])
def test_the_replies_that_the_rule_was_made_on(one: dict[str, object]) -> None:
    assert is_abstention(str(one["text"])) is one["abstains"]


@pytest.mark.parametrize(
    "text",
    [
        "The monthly fee is not stated in the passages.",
        "Unfortunately, the monthly fee is not specified.",
        "I'm afraid I don't know.",
        "No idea.",
        "There isn't any information about this.",
        "As an AI language model, I cannot answer that.",
        "Cannot determine",
        "Unclear.",
        "Based on the passages, it is unclear.",
        "It's not clear from the passages.",
    ],
)
def test_a_system_that_refuses_in_its_own_words_does_not_hallucinate(text: str) -> None:
    asked = sample(None, tags={"value_kind": "money", "phrases": ["monthly fee"], "entity": "PLN-1"})
    said = prediction(text)
    verdict = ClosedWorld().judge(asked, said, ())
    assert verdict is not None
    assert verdict["asserted"] == 0
    verdicts = {"closed_world": verdict}
    assert Accuracy().score(asked, said, verdicts).value == 1
    assert AbstentionRecall().score(asked, said, verdicts).value == 1
    assert HallucinationRate(detector="closed_world").score(asked, said, verdicts).value == 0


@pytest.mark.parametrize(
    "text",
    [
        "It is not stated on page 1, but the fee is 12 euros",
        "The fee is 12 euros. The start date is not stated.",
        "The start date is not stated. The fee is 12 euros.",
        "The status is unclear weather",
        "The company is not known for its cars; it was founded in 1990",
        "Bravix Solune, the date is not stated.",
        "The owner (not stated on page 1) is Bravix Solune.",
        "I don't know, but you could try 42.",
        "I don't know about silver, gold is what the page says.",
        "The plan is not available.",
        "No evidence of identity is needed.",
        "More details to follow on Tuesday.",
        "The door is left open.",
    ],
)
def test_words_of_a_refusal_inside_an_answer(text: str) -> None:
    assert not is_abstention(text)


def test_every_language_has_a_refusal_that_is_found_and_its_hedge_is_an_answer() -> None:
    refusals = {
        "German": ("Ich weiß es leider nicht.", "Ich weiß es nicht, aber wahrscheinlich Gold."),
        "French": ("Désolé, je ne sais pas.", "Je ne sais pas, mais sans doute Paris."),
        "Spanish": ("Lo siento. No lo sé.", "No lo sé, pero creo que es oro."),
        "Italian": ("Purtroppo non lo so.", "Non lo so, ma forse oro."),
    }
    assert refusals.keys() == FOREIGN.keys()
    for refusal, hedge in refusals.values():
        assert is_abstention(refusal)
        assert not is_abstention(hedge)


@pytest.mark.parametrize(
    "words", ["the ", "no ", "the fee of ", "as a ", "sorry, ", "ich kann ", "from the ", "je ne "]
)
def test_a_long_answer_is_read_once(words: str) -> None:
    assert not is_abstention(words * 20_000 + "x 5")
