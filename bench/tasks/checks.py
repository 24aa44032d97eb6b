"""Parts of a line whose content the program itself reads: filters, and the tags that measures and detectors ask for."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Mapping
from typing import Any

from bench.metrics.rules.registry import check_rules
from systems.base import UserError

Kinds = tuple[type, ...]

FILTERS: dict[str, Kinds] = {
    "types": (list,),
    "versions": (list,),
    "documents": (list,),
    "without": (list,),
    "date_from": (str,),
    "date_to": (str,),
}
"""What a line may ask of the documents that are retrieved for it, besides its role."""
TAGS: dict[str, Kinds] = {
    "value_kind": (str,),
    "entity": (str,),
    "phrases": (list,),
    "required": (list,),
    "parts": (list,),
    "grades": (dict,),
    "secret": (str, int, float),
    "stale": (str, int, float),
    "forbidden": (str,),
    "out_of_scope": (bool,),
    "extraction": (bool,),
    "cite": (bool,),
}
"""Other tags may be anything."""
TAKEN = {"labels": "all labels of a task", "judged_by": "a benchmark's own scoring"}
ITEMS: dict[str, type] = {
    "types": str,
    "versions": int,
    "documents": str,
    "without": str,
    "phrases": str,
    "required": str,
    "parts": list,
}


def check_type(name: str, value: Any, kinds: Kinds, where: str) -> None:
    """Refuse a value of another type; a truth value is no number."""
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
        raise UserError(f"{where}: {name} must be {wanted}, not {type(value).__name__}")


def check_fields(data: Mapping[str, Any], fields: Mapping[str, Kinds], where: str) -> None:
    """Refuse a record with a field that is not known, or of another type than its own."""
    for name, value in data.items():
        if name not in fields:
            raise UserError(f"{where}: unknown field {name!r}; there are: {', '.join(fields)}")
        check_type(name, value, fields[name], where)


def check_filters(filters: Mapping[str, Any], where: str) -> None:
    """Refuse filters that no document could be held against."""
    check_fields(filters, FILTERS, where)
    _check_items(filters, where)
    for name in ("date_from", "date_to"):
        try:
            datetime.datetime.fromisoformat(filters.get(name, "2026-01-31"))
        except ValueError:
            raise UserError(f"{where}: {name} {filters[name]!r}: must be an ISO date such as 2026-01-31") from None


def check_tags(tags: Mapping[str, Any], where: str) -> None:
    """Refuse tags that the program sets itself, and those it reads where they are of another type."""
    for name, value in tags.items():
        if name in TAKEN:
            raise UserError(f"{where}: the tag {name} is taken ({TAKEN[name]}); give it another name")
        if name in TAGS:
            check_type(name, value, TAGS[name], f"{where}: tags")
    _check_items(tags, f"{where}: tags")
    if "rules" in tags:
        check_rules(tags["rules"], where)


def _check_items(data: Mapping[str, Any], where: str) -> None:
    for name, kind in ITEMS.items():
        for item in data.get(name, ()):
            check_type(f"{name}: what it holds", item, (kind,), where)
    for spelling in (one for part in data.get("parts", ()) for one in part):
        check_type("parts: a spelling", spelling, (str,), where)
    for grade in data.get("grades", {}).values():
        check_type("grades: a grade", grade, (int, float), where)
        if not 0 < grade < float("inf"):
            raise UserError(f"{where}: grades: {grade} must be above 0; leave out what is not relevant")


def blank(text: str) -> bool:
    """Whether there is nothing to see: no character but spaces, controls and marks without width."""
    return all(unicodedata.category(character)[0] in "CZ" for character in text)
