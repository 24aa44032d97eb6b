"""Retrieval sets in the layout of BEIR (Thakur et al. 2021). Each set has its own licence."""

from __future__ import annotations

from collections import defaultdict

from bench.tasks.lines_task import INSTRUCTIONS, RETRIEVAL
from bench.tasks.public.source import DataSet, Source
from systems.base import Document


def read(source: Source) -> DataSet:
    """``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``; judged queries alone are asked.

    There are no right answers, so retrieval alone is measured. Grades above 0 count as relevant.
    """
    relevant: dict[str, list[str]] = defaultdict(list)
    for _, row in source.table("qrels/test", "qrels_test"):
        if int(row["score"]) > 0:
            relevant[str(row["query-id"])].append(str(row["corpus-id"]))
    return DataSet(
        records=[
            {
                "id": str(row["_id"]),
                "query": row["text"],
                "instruction": INSTRUCTIONS["text"],
                "reference": None,
                "kind": "open",
                "relevant": relevant[str(row["_id"])],
                "task": "beir",
            }
            for _, row in source.table("queries")
            if str(row["_id"]) in relevant
        ],
        corpus=[
            Document(id=str(row["_id"]), title=row.get("title", ""), text=row["text"])
            for _, row in source.table("corpus")
        ],
        measured=RETRIEVAL,
    )
