"""Hallucination rates: what a detector said of the answers, over a declared denominator.

The detector's verdict on a prediction is ``{"unfactual": bool, "unfaithful": bool | None, "conflicts": int,
"asserted": int}``. For extraction, ``unfactual`` means a field value that is neither in the source nor null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.base import DECLARED, Value
from bench.metrics.outcome import attempted
from bench.records import Prediction, Sample

NOT_JUDGED = Value(None, {"reason": "no verdict"})


@dataclass(frozen=True)
class HallucinationRate:
    """Share of all answers with an assertion that the reference world does not bear out (factuality).

    Abstained and failed answers assert nothing and count as 0. ``attempted``: they are left out instead. Without a
    verdict (no detector, or not its kind of sample) there is no value.
    """

    attempted: bool = False
    detector: str = DECLARED
    unit: str = "share"
    higher_is_better: bool = False

    @property
    def name(self) -> str:
        return "hallucination_rate_attempted" if self.attempted else "hallucination_rate"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        verdict = verdicts.get(self.detector)
        if self.attempted and not attempted(prediction):
            return Value(None)
        if verdict is None or verdict.get("unfactual") is None:
            return NOT_JUDGED
        return Value(float(verdict["unfactual"]))


@dataclass(frozen=True)
class UnfaithfulRate:
    """Share of all answers with an assertion that the passages shown do not support (faithfulness).

    Of systems that retrieve: what one asserts that was shown nothing is unsupported. Answers that abstain assert
    nothing and count as 0. ``attempted``: they are left out instead.
    """

    attempted: bool = False
    detector: str = DECLARED
    unit: str = "share"
    higher_is_better: bool = False

    @property
    def name(self) -> str:
        return "unfaithful_rate_attempted" if self.attempted else "unfaithful_rate"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if not (prediction.shown or prediction.retrieves):
            return Value(None)
        verdict = verdicts.get(self.detector)
        if self.attempted and not attempted(prediction):
            return Value(None)
        if verdict is not None and not prediction.shown:
            return Value(float(bool(verdict.get("asserted"))))
        if verdict is None or verdict.get("unfaithful") is None:
            return NOT_JUDGED
        return Value(float(verdict["unfaithful"]))


@dataclass(frozen=True)
class SelfKnowledgeRate:
    """Share of all answers that the passages do not support but that are true: a class of its own (RAGChecker)."""

    detector: str = DECLARED
    name: str = "self_knowledge_rate"
    unit: str = "share"
    higher_is_better: bool = False

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        unfaithful = UnfaithfulRate(detector=self.detector).score(sample, prediction, verdicts)
        if unfaithful.value != 1.0:
            return unfaithful
        unfactual = verdicts[self.detector].get("unfactual")
        return NOT_JUDGED if unfactual is None else Value(float(not unfactual))
