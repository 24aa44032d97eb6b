"""JSONSchemaBench (Geng et al. 2025): schemas from real use, answered with any instance that fits. MIT."""

from __future__ import annotations

import json

from bench.tasks.public.source import DataSet, Source

INSTRUCTION = "Write one JSON value that fits the schema, and nothing else."


def read(source: Source) -> DataSet:
    """``test`` with json_schema (a text) and unique_id. There is no right answer, only the right form."""
    return DataSet(
        records=[
            {
                "id": str(row["unique_id"]),
                "query": f"JSON Schema: {row['json_schema']}",
                "instruction": INSTRUCTION,
                "reference": None,
                "schema": json.loads(row["json_schema"]),
                "kind": "open",
                "task": "json_schema_bench",
            }
            for _, row in source.table("test", "*test*", "data/test*", "*/test*")
        ],
        measured=("format_adherence", "format_repaired"),
    )
