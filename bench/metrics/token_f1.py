"""Token F1 after SQuAD normalisation (Rajpurkar et al. 2016), best over references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.metrics.base import UNIT_RANGE, Value
from bench.metrics.references import answer_kind, spellings
from bench.metrics.text import normalise, plain
from bench.records import Prediction, Sample


def token_f1(text: str, reference: str) -> float:
    """Harmonic mean of token precision and recall; 0 where no token is shared."""
    answer, wanted = normalise(text).split(), normalise(reference).split()
    shared = sum((Counter(answer) & Counter(wanted)).values())
    return 2 * shared / (len(answer) + len(wanted)) if shared else 0.0


@dataclass(frozen=True)
class TokenF1:
    """Mean token overlap of free answers with their reference. Not for labels, JSON or unanswerable samples."""

    name: str = "token_f1"
    unit: str = "mean"
    bounds: ClassVar = UNIT_RANGE
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if answer_kind(sample) != "value":
            return Value(None)
        if prediction.error is not None:
            return Value(0.0, {"error": prediction.error})
        text = plain(prediction.text)
        return Value(max(token_f1(text, reference) for reference in spellings(sample)))
