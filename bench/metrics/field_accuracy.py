"""Field-level accuracy of JSON answers, over all attempts: an invalid answer has every field wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.metrics.base import UNIT_RANGE, Value
from bench.metrics.format_adherence import adherence_error
from bench.metrics.json_text import fields, parse, same
from bench.metrics.references import answer_kind
from bench.records import Prediction, Sample

Path = tuple[str, ...]


@dataclass(frozen=True)
class FieldAccuracy:
    """Share of fields that the answer has right, out of the reference's and those that it made up beside them.

    An extra field that is null says nothing and does not count. ``valid_only`` leaves
    invalid answers out: a second figure, never the first (and then named so).
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
        extra = [path for path, value in given.items() if value is not None and not _known(path, wanted)]
        right = len(wanted) - len(wrong)
        detail = {"wrong": ["/".join(path) for path in wrong]}
        if extra:
            detail["extra"] = ["/".join(path) for path in extra]
        return Value(right / (len(wanted) + len(extra)), detail)


def _known(path: Path, wanted: Collection[Path]) -> bool:
    """Whether the reference has the field, or something above or below it, which is wrong already."""
    return any(path[: len(one)] == one[: len(path)] for one in wanted)
