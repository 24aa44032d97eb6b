"""Field-level accuracy of JSON answers, over all attempts: an invalid answer has every field wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.metrics.base import UNIT_RANGE, Value
from bench.metrics.format_adherence import adherence_error
from bench.metrics.json_text import fields, parse, same
from bench.metrics.references import answer_kind
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class FieldAccuracy:
    """Share of the reference's fields that the answer has right.

    ``valid_only`` leaves invalid answers out: a second figure, never the first (and then named so).
    """

    valid_only: bool = False
    unit: str = "mean"
    bounds: ClassVar = UNIT_RANGE
    higher_is_better: bool = True

    @property
    def name(self) -> str:
        return "field_accuracy_valid" if self.valid_only else "field_accuracy"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if answer_kind(sample) != "json":
            return Value(None)
        schema = True if sample.query.schema is None else sample.query.schema
        error = prediction.error or adherence_error(prediction.text, schema)
        if error is not None:
            return Value(None if self.valid_only else 0.0, {"error": error})
        wanted, given = fields(sample.reference), fields(parse(prediction.text))
        wrong = [path for path, value in wanted.items() if path not in given or not same(given[path], value)]
        return Value(1 - len(wrong) / len(wanted), {"wrong": ["/".join(path) for path in wrong]})
