"""Format adherence: the whole answer is JSON and valid by the task's schema, without any repair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.base import Value
from bench.metrics.json_schema import Schema, violation
from bench.metrics.json_text import NotJson, first_value, parse
from bench.records import Prediction, Sample


def adherence_error(text: str, schema: Schema) -> str | None:
    """Why the text, taken whole, does not keep to the schema; ``None`` where it does."""
    try:
        value = parse(text)
    except NotJson as error:
        return f"not JSON: {error}"[:200]
    return violation(schema, value)


def repaired_error(text: str, schema: Schema) -> str | None:
    """Why the first JSON value in the text does not keep to the schema; ``None`` where it does.

    Where the schema asks for an object, only objects are looked for: a citation such as ``[1]`` is an array too.
    """
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    openers = {"object": "{", "array": "["}.get(kind, "{[") if isinstance(kind, str) else "{["
    try:
        value = first_value(text, openers)
    except NotJson as error:
        return str(error)
    return violation(schema, value)


@dataclass(frozen=True)
class FormatAdherence:
    """Share of all attempts that parse and validate as they stand. For samples with a schema."""

    name: str = "format_adherence"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if sample.query.schema is None:
            return Value(None)
        error = prediction.error or adherence_error(prediction.text, sample.query.schema)
        return Value(float(error is None), {} if error is None else {"error": error})


@dataclass(frozen=True)
class FormatRepaired:
    """Share of all attempts whose first JSON value, fences stripped, validates. Never to be called adherence."""

    name: str = "format_repaired"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if sample.query.schema is None:
            return Value(None)
        error = prediction.error or repaired_error(prediction.text, sample.query.schema)
        return Value(float(error is None), {} if error is None else {"error": error})
