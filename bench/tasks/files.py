"""Your own data: a directory of documents and a file of questions, one JSON object per line (``lines.py``)."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

from bench.tasks.base import Suite
from bench.tasks.lines import Limits, Line, Lines, lines_suite
from systems.artifacts import file_hash
from systems.base import UserError


def read_lines(path: Path) -> list[Line]:
    """All lines of a samples file; the first mistake is an error that names its line."""
    if not path.is_file():
        raise UserError(f"samples={path}: no such file; give a .jsonl file with one sample per line")
    lines = Lines()
    # Lines end at newlines alone: a text may hold other separators (U+2028).
    for number, raw in enumerate(path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not raw.strip():
            continue
        where = f"{path}:{number}"
        try:
            data = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise UserError(f"{where}: not UTF-8 at byte {error.start} of the line; save the file as UTF-8") from None
        except ValueError as error:
            raise UserError(f"{where}: not JSON: {error}") from None
        lines.add(data, where, f"line {number}")
    return lines.found


def files_suite(
    samples: str | None, corpus: str | None = None, max_tokens: int = 64, limit: int | None = None, shots: int = 8
) -> Suite:
    """A suite from files. Each ``task`` named in the lines is a task of its own, of one kind."""
    from systems.knowledge.reading import read_corpus

    if samples is None:
        raise UserError("samples: has to be given with suite=files, as samples=QUESTIONS.jsonl")
    limits = Limits(max_tokens=max_tokens, limit=limit, shots=shots)
    path = Path(samples)
    lines = read_lines(path)
    documents = tuple(read_corpus(corpus)) if corpus else ()
    data = {"samples": path.name, "samples_sha256": file_hash(path)[:16], "documents": str(len(documents))}
    return lines_suite("files", lines, limits, source=str(path), corpus=documents, data=data)
