"""Accepted answers: what the cost per accepted answer divides by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.accuracy import Accuracy
from bench.metrics.base import DECLARED, Value
from bench.metrics.format_adherence import FormatAdherence
from bench.metrics.outcome import attempted
from bench.metrics.rules_followed import RulesFollowed
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class Accepted:
    """Share of answers that are correct, well-formed, and faithful where passages were shown, factual where not.

    Well-formed asks only of samples with a schema or rules (strict); faithful and factual only of attempted answers
    that the detector judged: labels need no verdict, and abstaining rightly asserts nothing. Of an open sample every
    answer is correct, but without rules or a schema one that abstains. The detail names the first thing missing.
    """

    detector: str = DECLARED
    name: str = "accepted"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        missing = self._missing(sample, prediction, verdicts)
        return Value(float(missing is None), {} if missing is None else {"missing": missing})

    def _missing(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> str | None:
        if prediction.error is not None:
            return "answer"
        if not sample.open and Accuracy().score(sample, prediction, verdicts).value != 1.0:
            return "correct"
        formed = [one.score(sample, prediction, verdicts).value for one in (FormatAdherence(), RulesFollowed())]
        if 0.0 in formed:
            return "well-formed"
        if sample.open and formed == [None, None] and not attempted(prediction):
            return "answer"
        verdict = verdicts.get(self.detector)
        if verdict is None or not attempted(prediction):
            return None
        if prediction.shown and verdict.get("unfaithful") is not None:
            return "faithful" if verdict["unfaithful"] else None
        return "factual" if verdict.get("unfactual") else None
