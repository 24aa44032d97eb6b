"""Whether an answer follows all its rules: IFEval's prompt-level accuracy (Zhou et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.base import Value
from bench.metrics.rules.following import followed
from bench.records import Prediction, Sample


def followed_rules(sample: Sample, prediction: Prediction, loose: bool = False) -> tuple[bool, ...]:
    """For each rule of the sample whether the answer follows it: none where no answer came."""
    return followed(prediction.text if prediction.error is None else "", sample.tags.get("rules", ()), loose)


@dataclass(frozen=True)
class RulesFollowed:
    """Share of answers that follow every rule in ``tags["rules"]``. The detail names the rules that are broken.

    ``loose``: with a first line, a last line and asterisks forgiven, rule by rule; never to be called adherence.
    """

    loose: bool = False
    unit: str = "share"
    higher_is_better: bool = True

    @property
    def name(self) -> str:
        return "rules_followed_loose" if self.loose else "rules_followed"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        rules = sample.tags.get("rules")
        if not rules:
            return Value(None)
        kept = followed_rules(sample, prediction, self.loose)
        broken = [given["rule"] for given, follows in zip(rules, kept, strict=True) if not follows]
        return Value(float(not broken), {"broken": broken} if broken else {})
