"""A line: a plain record of a question and its right answer, from wherever it comes.

A line has ``id``, ``query`` and ``reference`` (a text, a label, a JSON object; ``null`` where abstaining is
right), and optionally ``kind`` (text, label, json, open), ``references``, ``task``, ``instruction``, ``schema``,
``relevant`` (document ids), ``role``, ``tags`` and ``split`` (train, development, test; test if missing).

Of kind ``open`` no one answer is right: rules (``tags["rules"]``), a schema and detectors judge it. Its reference is
an example to learn from, or ``null``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.metrics.json_schema import violation
from bench.tasks.base import SPLITS
from bench.tasks.checks import blank, check_fields, check_filters, check_tags
from systems.base import UserError

KINDS = ("text", "label", "json", "open")
FIELDS: dict[str, tuple[type, ...]] = {
    "id": (str, int),
    "query": (str,),
    "reference": (str, int, float, bool, dict, list, type(None)),
    "references": (list,),
    "kind": (str,),
    "task": (str,),
    "instruction": (str,),
    "schema": (dict,),
    "relevant": (list,),
    "role": (str, type(None)),
    "tags": (dict,),
    "split": (str,),
    "cluster": (str, int),
    "filters": (dict,),
}
REQUIRED = ("id", "query", "reference")
EXAMPLE = '{"id": "1", "query": "...", "reference": "..."}'
RESERVED = ("suite",)
"""Names that a task cannot have: results call the whole suite so."""


@dataclass(frozen=True)
class Line:
    """One record, checked."""

    data: Mapping[str, Any]
    split: str
    task: str
    kind: str


def checked(data: Any, where: str) -> Line:
    """A record as a line; the first mistake in it is an error that begins with ``where``."""
    if not isinstance(data, dict):
        raise UserError(f"{where}: must be an object such as {EXAMPLE}")
    for name in REQUIRED:
        if name not in data:
            raise UserError(f"{where}: {name} is missing; every sample has id, query and reference")
    check_fields(data, FIELDS, where)
    if data.get("task") in RESERVED:
        raise UserError(f"{where}: task {data['task']!r} stands for the whole; give it another name")
    check_tags(data.get("tags", {}), where)
    for name in ("id", "query", "task"):
        if blank(str(data.get(name, "files"))):
            raise UserError(f"{where}: {name} is empty")
    for name, kinds in (("references", (str,)), ("relevant", (str, int))):
        for item in data.get(name, ()):
            if not isinstance(item, kinds) or isinstance(item, bool):
                raise UserError(f"{where}: {name} must hold {' or '.join(k.__name__ for k in kinds)}, not {item!r}")
    check_filters(data.get("filters", {}), f"{where}: filters")
    split = data.get("split", "test")
    if split not in SPLITS:
        raise UserError(f"{where}: split {split!r}: must be one of {', '.join(SPLITS)}")
    if "schema" in data:
        try:
            wrong = violation(data["schema"], data["reference"])
        except UserError as error:
            raise UserError(f"{where}: schema: {error}") from None
        if wrong is not None and data["reference"] is not None:
            raise UserError(f"{where}: the reference does not fit the sample's own schema: {wrong}")
    structured = isinstance(data["reference"], (dict, list)) or "schema" in data
    kind = data.get("kind", "json" if structured else "text")
    if kind not in KINDS:
        raise UserError(f"{where}: kind {kind!r}: must be one of {', '.join(KINDS)}")
    if kind != "json" and isinstance(data["reference"], (dict, list)):
        raise UserError(f"{where}: reference must be one value for kind {kind}, or give kind json")
    if kind in ("text", "label") and blank(as_answer(data["reference"])):
        raise UserError(f"{where}: reference is empty; write null where abstaining is right")
    return Line(data, split, data.get("task", "files"), kind)


class Lines:
    """Checked lines, each id once in its task."""

    def __init__(self) -> None:
        self.found: list[Line] = []
        self._seen: dict[tuple[str, str], str] = {}

    def add(self, data: Any, where: str, place: str) -> None:
        """Check one record; ``place`` says where an id stood, should it come again."""
        line = checked(data, where)
        key = (line.task, str(line.data["id"]))
        if key in self._seen:
            raise UserError(f"{where}: id {key[1]!r} stands on {self._seen[key]} already; ids must differ")
        self._seen[key] = place
        self.found.append(line)


def as_answer(reference: Any) -> str:
    """A reference as an answer would put it."""
    if reference is None:
        return "I don't know."
    return reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False)
