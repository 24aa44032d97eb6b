"""PopQA (Mallen et al. 2023): facts of known popularity, from the famous to the obscure. MIT."""

from __future__ import annotations

import json

from bench.tasks.public.source import DataSet, Source


def read(source: Source) -> DataSet:
    """``test.tsv`` (or ``popQA.tsv``) with question, possible_answers (a JSON list), prop and s_pop; no documents."""
    return DataSet(
        records=[
            {
                "id": str(row["id"]),
                "query": row["question"],
                "reference": answers[0],
                "references": answers[1:],
                "task": "popqa",
                "tags": {"relation": row["prop"], "popularity": int(row["s_pop"])},
            }
            for _, row in source.table("test", "popQA")
            for answers in [json.loads(row["possible_answers"])]
        ]
    )
