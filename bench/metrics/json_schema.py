"""JSON Schema validation by the draft the schema names; nothing is ever fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from bench.metrics.dialects import PATTERNS, completed, custom
from bench.metrics.time_limit import time_limit
from systems.base import UserError

Schema = Mapping[str, Any] | bool

SECONDS = 5.0
"""What judging one value may take: a pattern that backtracks or a schema that branches could go on for ever."""
NO_REMOTES: Registry[Any] = Registry()
"""jsonschema's own default would download a remote ``$ref``."""


def validator(schema: Schema, registry: Registry[Any] = NO_REMOTES) -> Validator:
    """A validator for the draft named by ``$schema``, 2020-12 where none is named.

    ``registry`` holds the only documents a ``$ref`` may lead to besides the schema and the drafts' own meta-schemas.
    Raises ``UserError`` for an unknown draft, a schema that is not valid, or a ``$ref`` that leads nowhere.
    """
    draft: type[Validator] = Draft202012Validator
    if isinstance(schema, Mapping) and "$schema" in schema:
        name = schema["$schema"]
        named = validator_for(schema, default=None) or custom(name, registry) if isinstance(name, str) else None  # type: ignore[arg-type]
        if named is None:
            raise UserError(f"schema.$schema={name!r}: not a known draft of JSON Schema (try 2020-12)")
        draft = named
    try:
        draft.check_schema(schema, format_checker=PATTERNS)  # type: ignore[arg-type, call-arg]
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "the root"
        raise UserError(f"the task's JSON Schema is not valid at {where}: {error.message}") from None
    # Without its name: jsonschema would go back to its own class of the draft wherever the root is referred to.
    bare = {key: value for key, value in schema.items() if key != "$schema"} if isinstance(schema, Mapping) else schema
    try:
        _follow(bare, draft, registry)
    except Unresolvable as missing:
        raise _lost(missing) from None
    return completed(draft)(bare, registry=registry)


def _follow(schema: Schema, draft: type[Validator], registry: Registry[Any]) -> None:
    """Follow every reference once, or a wrong one would be found by the first answer that reaches it."""
    resource = specification_with(draft.META_SCHEMA["$schema"]).create_resource(schema)
    todo = [(resource, SPECIFICATIONS.combine(registry).resolver_with_root(resource))]
    while todo:
        resource, resolver = todo.pop()
        if isinstance(resource.contents, Mapping) and isinstance(target := resource.contents.get("$ref"), str):
            resolver.lookup(target)
        todo += [(inner, resolver.in_subresource(inner)) for inner in resource.subresources()]


def _lost(missing: Unresolvable) -> UserError:
    return UserError(
        f"the task's JSON Schema refers to {missing.ref!r}, which it does not hold; remote references are never "
        "fetched: put the definition under $defs"
    )


def violation(schema: Schema, value: Any) -> str | None:
    """The first thing wrong with the value, or ``None`` where it validates."""
    return first_error(_cached(json.dumps(schema)), value)


def first_error(checker: Validator, value: Any) -> str | None:
    """The most telling error of a value, on one line; ``None`` where there is none."""
    try:
        with time_limit(SECONDS):
            error = min(checker.iter_errors(value), key=lambda one: len(one.absolute_path), default=None)
    except Unresolvable as missing:
        raise _lost(missing) from None
    except re.error as error:
        raise UserError(
            f"the task's JSON Schema has a pattern that cannot be judged where it stands: {error}"
        ) from None
    except RecursionError:
        return "nested too deeply"
    except TimeoutError:
        return f"could not be judged by the schema within {SECONDS:.0f} seconds"
    if error is None:
        return None
    where = "/".join(map(str, error.absolute_path))
    return f"{where}: {error.message}"[:200] if where else error.message[:200]


@lru_cache(maxsize=256)
def _cached(schema: str) -> Validator:
    return validator(json.loads(schema, object_pairs_hook=_unevaluated_last))


def _unevaluated_last(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """jsonschema looks through patterns for these keywords without a limit; here each has been in time before."""
    return dict(sorted(pairs, key=lambda pair: pair[0].startswith("unevaluated")))
