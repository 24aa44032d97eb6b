"""Retrieval sets in the layout of BEIR (Thakur et al. 2021). Each set has its own licence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bench.tasks.lines_task import INSTRUCTIONS, RETRIEVAL
from bench.tasks.public.source import DataSet, Source
from systems.base import Document


def read(source: Source) -> DataSet:
    """``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``; judged queries alone are asked.

    There are no right answers, so retrieval alone is measured. Grades above 0 count as relevant, and nDCG weighs by
    them. Where queries are documents too (ArguAna, Quora), a query's own is not searched, as by the authors.
    """
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for _, row in source.table("qrels/test", "qrels_test", "test"):
        if int(row["score"]) > 0:
            grades[str(row["query-id"])][str(row["corpus-id"])] = int(row["score"])
    corpus = [
        Document(id=_id(row), title=row.get("title") or "", text=row["text"]) for _, row in source.table("corpus")
    ]
    known = {document.id for document in corpus}
    return DataSet(
        records=[
            {
                "id": _id(row),
                "query": row["text"],
                "instruction": INSTRUCTIONS["text"],
                "reference": None,
                "kind": "open",
                "relevant": list(grades[_id(row)]),
                "task": "beir",
                "filters": {"without": [_id(row)]} if _id(row) in known else {},
                "tags": {"grades": grades[_id(row)]} if set(grades[_id(row)].values()) != {1} else {},
            }
            for _, row in source.table("queries")
            if _id(row) in grades
        ],
        corpus=corpus,
        measured=RETRIEVAL,
    )


def _id(row: Mapping[str, Any]) -> str:
    """Some copies on hubs have no underscore."""
    return str(row["id"] if "_id" not in row else row["_id"])
