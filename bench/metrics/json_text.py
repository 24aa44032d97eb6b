"""Reading JSON from answers: strictly (the whole text, by RFC 8259), or the first value found in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

FENCE = re.compile(r"```[\w-]*+[ \t]*+\n?(.*?)```", re.DOTALL)
"""It never looks at the language twice: a long one without an end would take for ever."""
MOST_NESTED = 100
"""Objects and arrays inside each other, at most (RFC 8259 lets a reader set a limit)."""
MOST_SEARCHED = 50_000_000
"""Characters that the search for a value reads again and again, at most: all are tried in answers up to 7,000 long."""


class NotJson(ValueError):
    """The text is not one JSON value; the message says why."""


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise NotJson(f"key {twice!r} stands twice in an object")
    return value


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise NotJson(f"number {digits[:20]} is out of range")
    return value


def _int(digits: str) -> int:
    if len(digits) > 300:  # arithmetic with a fraction would overflow
        _float(digits)
    return int(digits)


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)


def parse(text: str) -> Any:
    """The JSON value that the whole text is.

    Raises ``NotJson``; duplicate keys, NaN, Infinity, numbers out of a double's range and more than ``MOST_NESTED``
    levels are not JSON.
    """
    try:
        return _shallow(DECODER.decode(text))
    except RecursionError:
        raise NotJson(TOO_DEEP) from None
    except ValueError as error:
        raise NotJson(str(error)) from None


TOO_DEEP = f"nested more than {MOST_NESTED} levels deep"


def _shallow(value: Any) -> Any:
    """The value. Raises ``NotJson`` where it is nested too deeply for what walks through it later."""
    level: list[Any] = [[value]]
    for _ in range(MOST_NESTED + 1):
        items = (item for one in level for item in (one.values() if isinstance(one, dict) else one))
        level = [item for item in items if isinstance(item, dict | list)]
        if not level:
            return value
    raise NotJson(TOO_DEEP)


def first_value(text: str, openers: str = "{[") -> Any:
    """The first JSON value in the text: the whole text, a fenced block, or the first object or array that parses.

    ``openers``: the characters a value may begin with when it is searched for inside prose. Raises ``NotJson``.
    """
    for candidate in (text, *(match.group(1) for match in FENCE.finditer(text))):
        try:
            return parse(candidate)
        except NotJson:
            continue
    read = 0
    for start in _positions(text, openers):
        try:
            return _shallow(DECODER.raw_decode(text, start)[0])
        except json.JSONDecodeError as error:
            read += error.pos  # the error counts the lines up to here
        except (ValueError, RecursionError):
            read += len(text)
        if read > MOST_SEARCHED:
            break
    raise NotJson("no JSON value found")


def _positions(text: str, openers: str) -> Iterator[int]:
    return (at for at, character in enumerate(text) if character in openers)


def same(one: Any, two: Any) -> bool:
    """Equality of JSON values: 1 equals 1.0 but not true, outer and repeated white space in texts is ignored."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, str) and isinstance(two, str):
        return one.split() == two.split()
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
    return bool(one == two)


def fields(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Leaves of nested objects by path; a list, like a scalar, is one leaf, and so is an empty object."""
    if not isinstance(value, Mapping) or not value:
        return {path: value}
    leaves: dict[tuple[str, ...], Any] = {}
    for key, inner in value.items():
        leaves |= fields(inner, (*path, str(key)))
    return leaves
