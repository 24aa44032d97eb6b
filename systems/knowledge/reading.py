"""Files to documents: Markdown, text, HTML, PDF and JSON lines, from a directory or a single file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from systems.base import Document, UserError
from systems.knowledge.html_text import html_to_text
from systems.knowledge.metadata import checked_metadata

SUFFIXES = (".md", ".txt", ".html", ".pdf", ".jsonl")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)


def read_corpus(path: Path | str) -> list[Document]:
    """All documents of a directory (recursive, in the order of their paths) or of one file.

    A file's id is its path below the directory; a line of a .jsonl file brings its own. Hidden files,
    links to places inside the corpus, and files of other kinds are passed over. Raises UserError for what
    is missing, empty, malformed, not UTF-8, doubled, or reached through a link that leaves the corpus.
    """
    root = Path(path)
    if not root.exists():
        raise UserError(f"corpus {root}: no such file or directory")
    documents: dict[str, Document] = {}
    for file in _files(root):
        name = file.relative_to(root).as_posix() if root.is_dir() else file.name
        for document, where in _read(file, name):
            if not document.text.strip():
                raise UserError(f"{where}: no text in it")
            if document.id in documents:
                first = documents[document.id].metadata["source"]
                raise UserError(f"{where}: duplicate document id {document.id!r}, already in {first}")
            documents[document.id] = document
    if not documents:
        raise UserError(f"corpus {root}: no documents in it; it may hold {', '.join(SUFFIXES)}")
    return list(documents.values())


def _files(root: Path) -> list[Path]:
    """Readable files in order, with every link checked: a corpus may come from anywhere."""
    if root.is_file():
        if root.suffix.lower() not in SUFFIXES:
            raise UserError(f"corpus {root}: must be a directory or one of {', '.join(SUFFIXES)}")
        return [root]
    inside = root.resolve()
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for entry in (Path(folder) / name for name in folders + names):
            if entry.is_symlink() and not entry.resolve().is_relative_to(inside):
                raise UserError(f"{entry}: a link that leaves the corpus directory; copy the file instead")
        found += [Path(folder) / name for name in names if not name.startswith(".")]
    return sorted(file for file in found if file.suffix.lower() in SUFFIXES and not file.is_symlink())


def _read(file: Path, name: str) -> Iterator[tuple[Document, str]]:
    """Each document of a file, with the place to name when it is wrong."""
    suffix = file.suffix.lower()
    if suffix == ".jsonl":
        yield from _read_lines(file, name)
        return
    front: dict[str, Any] = {}
    if suffix == ".pdf":
        title, text = _read_pdf(file)
    elif suffix == ".html":
        title, text = html_to_text(_decoded(file))
    else:
        front, text = _split_front_matter(_decoded(file), str(file))
        heading = _HEADING.search(text) if suffix == ".md" else None
        title = heading.group(1) if heading else ""
    title = str(front.pop("title", "") or title or file.stem)
    metadata = checked_metadata({"source": name, **front}, str(file))
    yield Document(id=name, title=title, text=text, metadata=metadata), str(file)


def _decoded(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _split_front_matter(text: str, where: str) -> tuple[dict[str, Any], str]:
    """The YAML between two ``---`` lines at the top, and the rest."""
    match = _FRONT_MATTER.match(text)
    if not match:
        return {}, text
    import yaml

    try:
        front = yaml.safe_load(match.group(1))
    except yaml.YAMLError as error:
        raise UserError(f"{where}: front matter is not YAML: {' '.join(str(error).split())}") from None
    if front is None:
        front = {}
    if not isinstance(front, dict):
        raise UserError(f"{where}: front matter must be 'key: value' lines")
    return front, text[match.end() :]


def _read_pdf(file: Path) -> tuple[str, str]:
    """Title from the PDF's own data if it has one; pages are set apart by an empty line."""
    try:
        from pypdf import PdfReader
    except ImportError:
        raise UserError(f"{file}: reading PDF needs pypdf; install it with: pip install pypdf") from None
    try:
        reader = PdfReader(file)
        if reader.is_encrypted:
            raise UserError(f"{file}: the PDF is encrypted; save it without a password")
        title = (reader.metadata.title if reader.metadata else None) or ""
        return title.strip(), "\n\n".join(page.extract_text() for page in reader.pages)
    except UserError:
        raise
    except Exception as error:  # pypdf raises many kinds on broken input
        raise UserError(f"{file}: unreadable PDF: {' '.join(str(error).split())}") from error


def _read_lines(file: Path, name: str) -> Iterator[tuple[Document, str]]:
    """One document per line: ``id`` (or BEIR's ``_id``), ``text``, optional ``title`` and ``metadata``."""
    for number, line in enumerate(_decoded(file).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{where}: not JSON: {error.msg} at column {error.colno}") from None
        if not isinstance(row, dict):
            raise UserError(f"{where}: must be an object with id and text")
        if unknown := sorted(set(row) - {"id", "_id", "text", "title", "metadata"}):
            raise UserError(f"{where}: unknown key {unknown[0]!r}; put it under metadata")
        identifier, text, metadata = row.get("id", row.get("_id")), row.get("text"), row.get("metadata") or {}
        if not isinstance(identifier, str | int) or isinstance(identifier, bool) or str(identifier).strip() == "":
            raise UserError(f"{where}: id must be text or a number, it is {identifier!r}")
        if not isinstance(text, str):
            raise UserError(f"{where}: text must be text, it is {type(text).__name__}")
        if not isinstance(metadata, dict):
            raise UserError(f"{where}: metadata must be an object")
        checked = checked_metadata({"source": name, **metadata}, where)
        title = row.get("title") or ""
        yield Document(id=str(identifier), title=str(title), text=text, metadata=checked), where
