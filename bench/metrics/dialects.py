"""What jsonschema leaves out of the drafts: Unicode classes in patterns, and meta-schemas that name their vocabularies.

Patterns are ECMA-262's, whose ``\\p{...}`` Python's ``re`` does not know and ``regex`` does. What an answer can make
long (patterns that backtrack, references that branch, comparisons of all items) is linear or keeps to ``time_limit``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from referencing import Registry
from referencing.exceptions import NoSuchResource

from bench.metrics.time_limit import left
from systems.base import UserError

CLASS = re.compile(r"\\[pP]\{\w+(?:=\w+)?\}")
"""A Unicode property escape."""
PATTERNS = FormatChecker(())
"""Checks what a schema's own patterns are written in."""


@PATTERNS.checks("regex", raises=re.error)
def _is_pattern(text: object) -> bool:
    if isinstance(text, str):
        re.compile(CLASS.sub("x", text))
        found(text, "")
    return True


def found(pattern: str, text: str) -> bool:
    """Whether a pattern matches somewhere in a text.

    Raises ``re.error`` for what is no pattern, ``TimeoutError`` at the end of a ``time_limit``.
    """
    import regex

    try:
        return regex.search(pattern, text, timeout=left()) is not None
    except regex.error as error:
        raise re.error(str(error)) from None


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not found(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    for name, value in instance.items() if validator.is_type(instance, "object") else ():
        for pattern, inner in patterns.items():
            if found(pattern, name):
                yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rest: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items() if validator.is_type(instance, "object") else ():
        if name not in schema.get("properties", {}) and not any(found(one, name) for one in patterns):
            if rest is False:
                yield ValidationError(f"Additional properties are not allowed ({name!r} was unexpected)")
            else:
                yield from validator.descend(value, rest, path=name)


def _unique_items(validator: Any, unique: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if unique and validator.is_type(instance, "array") and len(set(map(_frozen, instance))) < len(instance):
        yield ValidationError(f"{instance!r} has non-unique elements")


def _frozen(value: Any) -> object:
    """What two JSON values have in common exactly where they are equal: 1 and 1.0, but not 1 and true."""
    if isinstance(value, dict):
        return frozenset((name, _frozen(inner)) for name, inner in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else (type(value) is bool, value)


def _in_time(keyword: Any) -> Any:
    """The same keyword within a ``time_limit``."""

    def check(*given: Any) -> Iterator[ValidationError]:
        left()
        yield from keyword(*given) or ()

    return check


REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
KEYWORDS = {
    "uniqueItems": _unique_items,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}


def completed(draft: type[Validator]) -> type[Validator]:
    """A draft whose patterns may name Unicode classes, and which an answer cannot keep busy beyond a ``time_limit``."""
    known = {name: _in_time(draft.VALIDATORS[name]) for name in REFERENCES if name in draft.VALIDATORS}
    return extend(draft, validators={**known, **KEYWORDS})


def custom(named: str, registry: Registry[Any]) -> type[Validator] | None:
    """The draft of a meta-schema in the registry, less the vocabularies that it does not name; ``None`` for none.

    Raises ``UserError`` where it requires a vocabulary that its draft has not.
    """
    try:
        meta = registry.contents(named)
    except NoSuchResource:
        return None
    draft = validator_for(meta, default=None)  # type: ignore[arg-type]
    if draft is None:
        return None
    known: Mapping[str, bool] = draft.META_SCHEMA.get("$vocabulary", {})
    wanted: Mapping[str, bool] = meta.get("$vocabulary", known)
    if unknown := [name for name, required in wanted.items() if required and name not in known]:
        raise UserError(f"schema.$schema={named!r}: requires the vocabulary {unknown[0]!r}, which is not known here")
    left_out = [keyword for name in known if name not in wanted for keyword in _keywords(name)]
    return extend(draft, validators=dict.fromkeys(left_out, lambda *_: ()))


def _keywords(vocabulary: str) -> Iterator[str]:
    """Keywords of a vocabulary (``.../vocab/NAME``): what its meta-schema (``.../meta/NAME``) has properties for."""
    from jsonschema_specifications import REGISTRY

    yield from REGISTRY.contents(vocabulary.replace("/vocab/", "/meta/"))["properties"]
