"""Accuracy: one rule for each kind of reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.abstention import is_abstention
from bench.metrics.base import Value
from bench.metrics.denial import says
from bench.metrics.json_text import NotJson, parse, same
from bench.metrics.references import answer_kind, parts, same_label, spellings
from bench.metrics.text import plain
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class Accuracy:
    """Share of right answers.

    Free answers: a reference stands in the answer with word boundaries, or as the same value where it is a number, a
    quantity or a date (of every one of the tag ``parts``, where a sample has several); the answer does not deny it;
    and, where the sample's ``value_kind`` is tagged, the detector saw
    no conflicting value beside it. (Bare substring matching credits verbose systems with what
    they did not mean: 12.5 % of its credits in one audit, allenai/olmo-eval#307.) Labels: the exact label but for case
    and outer white space. JSON: every field equal and none besides. Unanswerable samples: the answer abstains. A
    benchmark's own task (tag ``judged_by``): what its own scoring says. Not for open samples.
    """

    detector: str = "closed_world"
    name: str = "accuracy"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        kind = answer_kind(sample)
        if kind == "open":
            return Value(None)
        if prediction.error is not None:
            return Value(0.0, {"error": prediction.error})
        if "judged_by" in sample.tags:
            judge, measure = sample.tags["judged_by"]
            return Value(verdicts.get(judge, {}).get(measure))
        if kind == "abstain":
            return Value(float(is_abstention(prediction.text)))
        if kind == "label":
            return Value(float(any(same_label(prediction.text, label) for label in spellings(sample))))
        if kind == "json":
            return Value(float(self._same_json(prediction.text, sample.reference)))
        text = plain(prediction.text)
        if is_abstention(text) or not all(any(says(text, one) for one in part) for part in parts(sample)):
            return Value(0.0)
        conflicts = self._conflicts(sample, verdicts)
        return Value(float(conflicts == 0), {"conflicts": conflicts} if conflicts else {})

    def _conflicts(self, sample: Sample, verdicts: Mapping[str, Any]) -> int:
        """Conflicting values the detector saw; 0 where the kind of value is not a closed-world one."""
        if not sample.tags.get("value_kind"):
            return 0
        return int((verdicts.get(self.detector) or {}).get("conflicts", 0))

    def _same_json(self, text: str, reference: Any) -> bool:
        try:
            return same(parse(text), reference)
        except NotJson:
            return False
