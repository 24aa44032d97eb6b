"""Out-of-scope recall (Larson et al. 2019, CLINC150): requests no label fits, recognised as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.base import Value
from bench.metrics.references import answer_kind, same_label
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class OutOfScopeRecall:
    """Share of the samples tagged ``out_of_scope`` that got their label."""

    name: str = "out_of_scope_recall"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if answer_kind(sample) != "label" or not sample.tags.get("out_of_scope"):
            return Value(None)
        return Value(float(prediction.error is None and same_label(prediction.text, sample.reference)))
