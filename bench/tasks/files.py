"""Your own data: a directory of documents and a file of questions, one JSON object per line (``lines.py``)."""

from __future__ import annotations

from pathlib import Path

from bench.json_lines import read_objects
from bench.tasks.base import Suite
from bench.tasks.line import EXAMPLE, Line, Lines
from bench.tasks.lines import Limits, lines_suite
from systems.artifacts import file_hash
from systems.base import UserError


def read_lines(path: Path) -> list[Line]:
    """All lines of a samples file; the first mistake is an error that names its line."""
    if not path.is_file():
        raise UserError(f"samples={path}: no such file; give a .jsonl file with one sample per line")
    lines = Lines()
    for number, where, data in read_objects(path, EXAMPLE):
        lines.add(data, where, f"line {number}")
    return lines.found


def files_suite(
    samples: str | None,
    corpus: str | None = None,
    max_tokens: int = 64,
    limit: int | None = None,
    train_limit: int | None = None,
    shots: int = 8,
) -> Suite:
    """A suite from files. Each ``task`` named in the lines is a task of its own, of one kind."""
    from systems.knowledge.reading import read_corpus

    if samples is None:
        raise UserError("samples: has to be given with suite=files, as samples=QUESTIONS.jsonl")
    limits = Limits(max_tokens=max_tokens, limit=limit, train_limit=train_limit, shots=shots)
    path = Path(samples)
    lines = read_lines(path)
    documents = tuple(read_corpus(corpus)) if corpus else ()
    data = {"samples": path.name, "samples_sha256": file_hash(path)[:16], "documents": str(len(documents))}
    return lines_suite("files", lines, limits, source=str(path), corpus=documents, data=data)
