"""Question answering in the format of SQuAD 1.1 and 2.0 (Rajpurkar et al. 2016, 2018). SQuAD is CC BY-SA 4.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.tasks.public.source import DataSet, Source
from systems.base import Document


def read(source: Source) -> DataSet:
    """``train*.json`` where there is one, and ``dev*.json`` as the test; every paragraph is a document.

    The hub has ``train`` and ``validation`` instead, a question with its paragraph in each row. A question
    marked ``is_impossible`` has the reference ``null``. Its paragraph stands in the corpus as all do.
    """
    if source.has("validation"):
        splits = {"test": "validation", "train": "train"}
        whole = {split: _tree(source, stem) for split, stem in splits.items() if source.has(stem)}
    else:
        whole = {"test": source.json("dev*.json", "test*.json")}
        if any(source.path.glob("train*.json")):
            whole["train"] = source.json("train*.json")
    corpus: list[Document] = []
    records: list[dict[str, Any]] = []
    for split, tree in whole.items():
        for identity, title, paragraph in paragraphs(tree):
            document = f"{split}-{identity}"
            corpus.append(Document(id=document, title=title, text=paragraph["context"]))
            for question in paragraph["qas"]:
                answers = list(dict.fromkeys(answer["text"] for answer in question.get("answers", ())))
                answerable = bool(answers) and not question.get("is_impossible", False)
                records.append(
                    {
                        "id": str(question["id"]),
                        "query": question["question"],
                        "reference": answers[0] if answerable else None,
                        "references": answers[1:] if answerable else [],
                        "relevant": [document] if answerable else [],
                        "task": "squad",
                        "split": split,
                    }
                )
    return DataSet(records=records, corpus=corpus)


def _tree(source: Source, stem: str) -> dict[str, Any]:
    """Rows of questions as the authors' own files have them: an article of one paragraph for each that they share."""
    questions: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _, row in source.table(stem):
        asked = {"id": row["id"], "question": row["question"], "answers": [{"text": t} for t in row["answers"]["text"]]}
        questions.setdefault((row["title"], row["context"]), []).append(asked)
    return {"data": [{"title": title, "paragraphs": [{"context": context, "qas": asked}]}
                     for (title, context), asked in questions.items()]}  # fmt: skip


def paragraphs(tree: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Id, title and paragraph, in order."""
    for place, article in enumerate(tree["data"]):
        for number, paragraph in enumerate(article["paragraphs"]):
            yield f"{place}-{number}", article.get("title", "").replace("_", " "), paragraph
