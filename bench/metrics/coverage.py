"""How much of what an answer has to hold it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.metrics.base import UNIT_RANGE, Value
from bench.metrics.text import contains
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class Coverage:
    """Share of the values in ``tags["required"]`` that the answer holds (``bench.metrics.text.contains``).

    The detail names those that are missing. An answer that never came holds none.
    """

    name: str = "coverage"
    unit: str = "mean"
    bounds: ClassVar = UNIT_RANGE
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        required = sample.tags.get("required")
        if not required:
            return Value(None)
        text = prediction.text if prediction.error is None else ""
        missing = [value for value in required if not contains(text, value)]
        return Value(1 - len(missing) / len(required), {"missing": missing} if missing else {})
