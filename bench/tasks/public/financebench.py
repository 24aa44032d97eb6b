"""FinanceBench (Islam et al. 2023): questions on companies' filings, its open sample of 150. CC BY-NC 4.0."""

from __future__ import annotations

from bench.tasks.public.source import DataSet, Source
from systems.base import Document


def read(source: Source) -> DataSet:
    """``financebench_open_source.jsonl``; the pages named as evidence are the corpus.

    Whole filings are PDF files beside it: to ask over those, give them as ``corpus=DIR`` with ``suite=files``.
    """
    corpus: dict[str, Document] = {}
    records = []
    for _, row in source.table("financebench_open_source", "financebench_merged", "train"):
        relevant = []
        for found in row["evidence"]:
            name = found.get("doc_name") or found.get("evidence_doc_name") or row["doc_name"]
            identity = f"{name} p{found['evidence_page_num']}"
            text = found.get("evidence_text_full_page") or found["evidence_text"]
            corpus.setdefault(identity, Document(id=identity, title=name, text=text))
            relevant.append(identity)
        records.append(
            {
                "id": row["financebench_id"],
                "query": row["question"],
                "reference": row["answer"],
                "relevant": list(dict.fromkeys(relevant)),
                "task": "financebench",
                "tags": {"type": row.get("question_type") or ""},
            }
        )
    return DataSet(records=records, corpus=list(corpus.values()))
