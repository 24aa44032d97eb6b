"""JSONSchemaBench (Geng et al. 2025): schemas from real use, answered with any instance that fits. MIT."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench.metrics.json_schema import validator
from bench.tasks.public.source import DataSet, Source
from systems.base import UserError

INSTRUCTION = "Write one JSON value that fits the schema, and nothing else."


def read(source: Source, config: str | None = None) -> DataSet:
    """``test`` with json_schema (a text) and unique_id, of every configuration (``Github_easy``, ...) or of one.

    Each is a task, as the authors report them. There is no right answer, only the right form. Real schemas refer to
    others that they do not hold: by these no answer can be judged, so they are left out.
    """
    records, unjudged = [], []
    rows = [
        (name, row) for name in source.configs("test", config) or [""] for _, row in source.table("test", config=name)
    ]
    for name, row in rows:
        schema = json.loads(row["json_schema"])
        if problem := _problem(schema):
            unjudged.append(f"{row['unique_id']}: {problem}")
        else:
            records.append(_record(row, schema, name or "json_schema_bench"))
    if not records and unjudged:
        raise UserError(f"suite.path={source.path}: no schema can be judged by; the first is {unjudged[0]}")
    words = f"{len(unjudged)} schemas that no answer can be judged by, the first {unjudged[0]}" if unjudged else ""
    return DataSet(
        records=records,
        measured=("format_adherence", "format_repaired"),
        left_out={"left_out_of_test": words} if unjudged else {},
    )


def _problem(schema: Any) -> str | None:
    try:
        validator(schema)
    except UserError as error:
        return str(error)
    return None


def _record(row: Mapping[str, Any], schema: Any, task: str) -> dict[str, Any]:
    return {
        "id": str(row["unique_id"]),
        "query": f"JSON Schema: {row['json_schema']}",
        "instruction": INSTRUCTION,
        "reference": None,
        "schema": schema,
        "kind": "open",
        "task": task,
    }
