"""MultiHop-RAG (Tang & Yang 2024): questions that need several news articles at once. ODC-BY."""

from __future__ import annotations

from bench.tasks.public.source import DataSet, Source
from systems.base import Document

NOT_KNOWN = "insufficient information"


def read(source: Source) -> DataSet:
    """``MultiHopRAG.json`` and ``corpus.json``. A question that they cannot answer has the reference ``null``."""
    corpus = [
        Document(
            id=article["url"],
            title=article["title"],
            text=article["body"],
            metadata={"type": article["category"], "date": str(article["published_at"])[:10]},
        )
        for _, article in source.table("corpus", "corpus/train")
    ]
    records = []
    for number, (_, row) in enumerate(source.table("MultiHopRAG", "MultiHopRAG/train")):
        answerable = row["answer"].strip(" .").casefold() != NOT_KNOWN
        records.append(
            {
                "id": str(number),
                "query": row["query"],
                "reference": row["answer"] if answerable else None,
                "relevant": list(dict.fromkeys(found["url"] for found in row["evidence_list"])) if answerable else [],
                "task": "multihop_rag",
                "tags": {"type": row["question_type"]},
            }
        )
    return DataSet(records=records, corpus=corpus)
