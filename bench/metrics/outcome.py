"""What became of a factual question: correct, incorrect, abstained (the FinanceBench triple), or failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bench.metrics.abstention import is_abstention
from bench.metrics.accuracy import Accuracy
from bench.metrics.base import Value
from bench.metrics.references import answer_kind
from bench.records import Prediction, Sample

Outcome = Literal["correct", "incorrect", "abstained", "failed"]

FACTUAL = ("value", "abstain")
TOLD_ALWAYS = ("abstained", "failed")
"""Outcomes that need no right answer to be known."""


def answered(prediction: Prediction) -> bool:
    """Whether an answer came at all."""
    return prediction.error is None and bool(prediction.text.strip())


def attempted(prediction: Prediction) -> bool:
    """Whether an answer came and does not abstain."""
    return answered(prediction) and not is_abstention(prediction.text)


def outcome(
    sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any], detector: str = "closed_world"
) -> Outcome:
    """Exactly one of the four. Abstaining is ``abstained`` on unanswerable samples too, where it is right."""
    if not answered(prediction):
        return "failed"
    if is_abstention(prediction.text):
        return "abstained"
    right = Accuracy(detector=detector).score(sample, prediction, verdicts).value == 1.0
    return "correct" if right else "incorrect"


@dataclass(frozen=True)
class OutcomeRate:
    """Share of all factual samples with one outcome; the four shares add up to 1.

    Of open samples abstained and failed alone can be told.
    """

    outcome: Outcome
    detector: str = "closed_world"
    unit: str = "share"

    @property
    def name(self) -> str:
        return f"{self.outcome}_rate"

    @property
    def higher_is_better(self) -> bool:
        return self.outcome == "correct"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        kind = answer_kind(sample)
        if kind not in FACTUAL and not (kind == "open" and self.outcome in TOLD_ALWAYS):
            return Value(None)
        found = outcome(sample, prediction, verdicts, self.detector)
        return Value(float(found == self.outcome), {"outcome": found})


@dataclass(frozen=True)
class AbstentionRecall:
    """Share of unanswerable samples on which the system abstains; a failed call does not abstain."""

    name: str = "abstention_recall"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if answer_kind(sample) != "abstain":
            return Value(None)
        return Value(float(answered(prediction) and is_abstention(prediction.text)))


@dataclass(frozen=True)
class FalseRefusalRate:
    """Share of answerable factual samples on which the system abstains."""

    name: str = "false_refusal_rate"
    unit: str = "share"
    higher_is_better: bool = False

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if answer_kind(sample) != "value":
            return Value(None)
        return Value(float(answered(prediction) and is_abstention(prediction.text)))
