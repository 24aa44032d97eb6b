"""Strict JSON, JSON Schema against the official test suite, repaired answers, fields."""

from __future__ import annotations

from typing import Any

import pytest

from bench.metrics.field_accuracy import FieldAccuracy
from bench.metrics.format_adherence import FormatAdherence, FormatRepaired
from bench.metrics.json_schema import violation
from bench.metrics.json_text import NotJson, parse
from systems.base import UserError
from tests.metrics.making import prediction, sample

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": ["integer", "null"]}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
GOOD = '{"name": "Ann", "age": 5}'


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "{'a': 1}", '{"a": 1, "a": 1}', '{"a": 1,}', "{} {}", "\ufeff{}"),
        *("NaN", "[Infinity]", "-Infinity", "1e999"),
        "[" * 20_000,
    ],
)
def test_what_is_not_json(text: str) -> None:
    with pytest.raises(NotJson):
        parse(text)


def test_json_may_stand_in_white_space() -> None:
    assert parse(' \n{"a": [1, null]}\t') == {"a": [1, None]}


@pytest.mark.parametrize(
    ("text", "strict", "repaired"),
    [
        (GOOD, 1, 1),
        (f"```json\n{GOOD}\n```", 0, 1),
        (f"Here you are [1]: {GOOD} and {{}}", 0, 1),
        (f"{{}} then {GOOD}", 0, 0),
        ('{"name": "Ann"}', 0, 0),
        ('{"name": "Ann", "name": "Bo", "age": 5}', 0, 0),
        ('{"name": "Ann", "age": 5.5}', 0, 0),
        ("Ann is 5", 0, 0),
        ("", 0, 0),
    ],
)
def test_strict_and_repaired(text: str, strict: float, repaired: float) -> None:
    made = sample({"name": "Ann", "age": 5}, SCHEMA)
    assert FormatAdherence().score(made, prediction(text), {}).value == strict
    assert FormatRepaired().score(made, prediction(text), {}).value == repaired


def test_a_failed_call_is_a_miss_and_free_text_has_no_format() -> None:
    for metric in (FormatAdherence(), FormatRepaired()):
        assert metric.score(sample({}, SCHEMA), prediction(GOOD, error="timeout"), {}).value == 0
        assert metric.score(sample("x"), prediction("x"), {}).value is None


def test_the_draft_is_the_one_named() -> None:
    """``prefixItems`` means something in 2020-12 and nothing in draft 7; 2020-12 is the default."""
    schema: dict[str, Any] = {"prefixItems": [{"type": "string"}]}
    assert violation(schema, [1]) is not None
    assert violation({"$schema": "http://json-schema.org/draft-07/schema#"} | schema, [1]) is None
    with pytest.raises(UserError, match="draft"):
        violation({"$schema": "https://example.org/mine"}, 1)
    with pytest.raises(UserError, match="not valid"):
        violation({"type": "strin"}, 1)


def test_a_remote_reference_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    with pytest.raises(UserError, match="never fetched"):
        violation({"$ref": "https://example.org/schema.json"}, 1)


def test_fields_by_hand() -> None:
    reference = {"name": "Ann", "age": None, "home": {"city": "Ulm", "zip": "1"}}
    made = sample(reference, {"type": "object"})
    text = '{"name": "Ann", "age": 3, "home": {"city": "Ulm"}}'
    found = FieldAccuracy().score(made, prediction(text), {})
    assert found.value == pytest.approx(2 / 4)
    assert found.detail["wrong"] == ["age", "home/zip"]


def test_fields_that_are_made_up_count_as_wrong() -> None:
    made = sample({"name": "Ann", "home": None}, {"type": "object"})
    found = FieldAccuracy().score(made, prediction('{"name": "Ann", "home": null, "age": 5, "phone": null}'), {})
    assert found.value == pytest.approx(2 / 3)
    assert found.detail["extra"] == ["age"]
    # An object in the place of a field is one wrong field.
    found = FieldAccuracy().score(made, prediction('{"name": "Ann", "home": {"city": "Ulm"}}'), {})
    assert found.value == pytest.approx(1 / 2)


def test_an_invalid_answer_has_every_field_wrong() -> None:
    made = sample({"name": "Ann", "age": 5}, SCHEMA)
    invalid = prediction('{"name": "Ann", "age": 5, "more": 1}')
    assert FieldAccuracy().score(made, invalid, {}).value == 0
    assert FieldAccuracy(valid_only=True).score(made, invalid, {}).value is None
    assert FieldAccuracy().score(made, prediction(GOOD), {}).value == 1
    assert FieldAccuracy().score(made, prediction(GOOD, error="timeout"), {}).value == 0


@pytest.mark.parametrize("target", ["#/$defs/b", "other.json", "https://example.org/s.json"])
def test_a_reference_that_leads_nowhere_is_found_before_any_answer(target: str) -> None:
    """Else the first answer that has the property would end the run."""
    schema: dict[str, Any] = {"properties": {"a": {"items": {"$ref": target}}}, "$defs": {"c": True}}
    with pytest.raises(UserError, match=r"refers to .*, which it does not hold"):
        violation(schema, {})
    # What only looks like one is none.
    assert violation({"const": {"$ref": target}}, {"$ref": target}) is None
