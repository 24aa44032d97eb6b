"""RAGTruth (Niu et al. 2024, arXiv 2401.00396): answers from given passages, with what is made up in them marked. MIT.

Its questions are a suite; its marked answers measure a detector: ``bench detect DIR/response.jsonl detector=NAME``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.tasks.lines_task import INSTRUCTIONS
from bench.tasks.public.source import DataSet, Source
from systems.base import Document, UserError

PASSAGE = re.compile(r"(?:\A|\n\n)passage \d+:")
QA = "QA"


@dataclass(frozen=True, kw_only=True)
class Response:
    """A model's answer, with what it was given."""

    id: str
    source: str
    task: str
    """``QA``, ``Summary`` or ``Data2txt``."""
    question: str
    passages: str
    """As they stood in the prompt."""
    response: str
    hallucinated: bool
    """Whether the annotators marked anything in it."""


def response(row: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]]) -> Response | None:
    """A row of ``response.jsonl`` with its source; ``None`` where the authors do not evaluate it.

    They take the test split and answers of good quality (neither cut off nor wrongly refused). ``sources``: rows of
    ``source_info.jsonl`` by id. Rows that bring their question and passages (and ``spans``) along are read too. Raises
    ``KeyError`` for a field that is not there, ``UserError`` for a source.
    """
    if row.get("split", "test") != "test" or row.get("quality", "good") != "good":
        return None
    question, passages, task = row.get("question"), row.get("passages"), QA
    if question is None or passages is None:
        info = sources.get(str(row["source_id"]))
        if info is None:
            raise UserError(f"response {row['id']}: source_info.jsonl has no source_id {row['source_id']}")
        given, task = info["source_info"], info["task_type"]
        if task == QA:
            question, passages = given["question"], given["passages"]
        else:
            question, passages = info["prompt"].replace(str(given), "").strip(), str(given)
    return Response(
        id=str(row["id"]),
        source=str(row["source_id"]),
        task=task,
        question=question,
        passages=passages,
        response=row["response"],
        hallucinated=bool(row["spans"] if "spans" in row else row["labels"]),
    )


def passages_of(text: str) -> list[str]:
    """The passages one by one, without their numbers."""
    return [piece.strip() for piece in PASSAGE.split(text) if piece.strip()]


def read(source: Source) -> DataSet:
    """``response.jsonl`` and ``source_info.jsonl``: the questions of the test split, each once.

    The passages of all of them are the corpus. A question's own count as relevant, though not each of them answers it.
    What is right is not known: detectors judge.
    """
    corpus: list[Document] = []
    records: list[dict[str, Any]] = []
    for asked in _questions(source):
        own = [
            Document(id=f"{asked.source}-{number}", title="", text=text)
            for number, text in enumerate(passages_of(asked.passages), 1)
        ]
        corpus += own
        records.append(
            {
                "id": asked.source,
                "query": asked.question,
                "instruction": INSTRUCTIONS["text"],
                "reference": None,
                "kind": "open",
                "relevant": [document.id for document in own],
                "task": "ragtruth",
            }
        )
    return DataSet(records=records, corpus=corpus)


def _questions(source: Source) -> Iterator[Response]:
    rows = source.table("response", "responses")
    whole = all("passages" in row for _, row in rows)
    sources = {} if whole else {str(row["source_id"]): row for _, row in source.table("source_info")}
    seen: set[str] = set()
    for _, row in rows:
        found = response(row, sources)
        if found is not None and found.task == QA and found.source not in seen:
            seen.add(found.source)
            yield found
