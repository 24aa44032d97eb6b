"""Stale answers: what was so before is told as if it were so today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.base import Value
from bench.metrics.outcome import attempted
from bench.metrics.text import contains, plain
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class StaleRate:
    """Share of answers that hold the value of an earlier version, tagged ``stale``, however it is written.

    Of changed facts it is out of date; of withdrawn ones it is what should no longer be said.
    """

    name: str = "stale_rate"
    unit: str = "share"
    higher_is_better: bool = False

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        stale = sample.tags.get("stale")
        if stale is None:
            return Value(None)
        return Value(float(attempted(prediction) and contains(plain(prediction.text), str(stale))))
