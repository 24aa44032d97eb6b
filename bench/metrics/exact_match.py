"""Exact match after SQuAD normalisation (Rajpurkar et al. 2016), best over references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.base import Value
from bench.metrics.references import answer_kind, spellings
from bench.metrics.text import normalise, plain
from bench.records import Prediction, Sample


def exact_match(text: str, references: tuple[str, ...]) -> float:
    """1 where the normalised text equals a normalised reference."""
    answer = normalise(text)
    return float(any(answer == normalise(reference) for reference in references))


@dataclass(frozen=True)
class ExactMatch:
    """Share of free answers equal to a reference. Not for labels, JSON or unanswerable samples."""

    name: str = "exact_match"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if answer_kind(sample) != "value":
            return Value(None)
        if prediction.error is not None:
            return Value(0.0, {"error": prediction.error})
        return Value(exact_match(plain(prediction.text), spellings(sample)))
