"""A benchmark's own measure of an answer, as the benchmark's own code judged it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.base import Value
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class Benchmark:
    """The measure ``of`` among the verdicts that ``judge`` left; its mean over samples is the benchmark's number.

    A call that failed scores 0 where more is better. Where less is better no number is the worst: it has no value, so
    it leaves the denominator of this measure and is counted in ``failed_rate`` alone; read the two together.
    """

    judge: str
    higher_is_better: bool
    of: str = ""
    unit: str = "mean"

    @property
    def name(self) -> str:
        family = self.judge if self.higher_is_better else f"{self.judge}_loss"
        return f"{family}:{self.of}" if self.of else family

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if prediction.error is not None:
            return Value(0.0 if self.higher_is_better else None, {"error": prediction.error})
        return Value(verdicts.get(self.judge, {}).get(self.of))
