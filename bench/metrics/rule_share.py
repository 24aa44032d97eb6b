"""Share of rules that are followed: IFEval's instruction-level accuracy (Zhou et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.metrics.base import Value
from bench.metrics.rules_followed import followed_rules
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class RuleShare:
    """Of all rules of all samples, how many are followed: an answer with many rules weighs more.

    The value of a single prediction is the share of its own rules. ``loose``: as in ``RulesFollowed``.
    """

    loose: bool = False
    unit: str = "mean"
    higher_is_better: bool = True

    @property
    def name(self) -> str:
        return "rule_share_loose" if self.loose else "rule_share"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        kept = followed_rules(sample, prediction, self.loose)
        return Value(sum(kept) / len(kept) if kept else None)

    def applies(self, sample: Sample) -> bool:
        return bool(sample.tags.get("rules"))

    def counts(self, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> np.ndarray:
        """Shape (samples, 2): rules followed, rules."""
        kept = [followed_rules(*pair, self.loose) for pair in zip(samples, predictions, strict=True)]
        return np.array([(sum(one), len(one)) for one in kept], dtype=float)

    def fold(self, totals: np.ndarray) -> np.ndarray:
        """Followed over all."""
        return totals[..., 0] / totals[..., 1]
