"""Where a public data set is read from, and what a reader makes of it."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from systems.artifacts import file_hash
from systems.base import Document, Failure, UserError

BAD_FILE = (ValueError, RecursionError, TypeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a file of another form, or a broken one, raises."""
CSV = (".csv", ".tsv")
TABLES = (".jsonl", ".jsonl.gz", ".csv", ".tsv", ".json", ".parquet")


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """What a reader found: records as ``bench.tasks.line`` describes them, and the documents they are asked over."""

    records: Iterable[Mapping[str, Any]]
    corpus: Sequence[Document] = ()
    measured: tuple[str, ...] = ()
    """Names of metrics, where those of a record's kind do not fit."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """What of the set is no sample, and why: for the manifest."""


@dataclass
class Source:
    """A directory that holds a data set in its authors' own files. Notes what was read, for the manifest."""

    path: Path
    read: dict[str, str] = field(default_factory=dict)
    """File → beginning of its SHA-256."""

    def file(self, *names: str) -> Path:
        """The first of these files that is there."""
        for name in names:
            for found in sorted(self.path.glob(name)):
                self.read[found.relative_to(self.path).as_posix()] = file_hash(found)[:16]
                return found
        raise UserError(f"suite.path={self.path}: has no {' or '.join(names)}")

    def json(self, *names: str) -> Any:
        """A whole JSON file."""
        path = self.file(*names)
        try:
            return json.loads(_bytes(path))
        except BAD_FILE as error:
            raise UserError(f"{path}: not JSON: {error}") from None

    def table(self, *stems: str) -> list[tuple[str, dict[str, Any]]]:
        """Rows of a table in any of the usual forms, each with the place it stands at, for errors."""
        path = self.file(*(f"{stem}{end}" for stem in stems for end in TABLES))
        try:
            rows = [(f"{path}:{number}", row) for number, row in _rows(path)]
        except BAD_FILE as error:
            raise UserError(f"{path}: cannot be read as a table: {error}") from None
        for where, row in rows:
            if not isinstance(row, dict):
                raise UserError(f"{where}: must be an object, not {type(row).__name__}")
            if path.name.endswith(CSV) and (None in row or None in row.values()):
                raise UserError(f"{where}: has not as many fields as the first line")
        return rows


class Reader(Protocol):
    """Makes a data set of a source. A new one is one file, one YAML, one test."""

    def __call__(self, source: Source) -> DataSet: ...


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def _json_lines(path: Path, text: str) -> Iterable[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if line.strip():
                yield number, json.loads(line)
        except BAD_FILE as error:
            raise UserError(f"{path}:{number}: not JSON: {error}") from None


def _rows(path: Path) -> Iterable[tuple[int, dict[str, Any]]]:
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        try:
            from pyarrow import parquet
        except ModuleNotFoundError:
            raise Failure(f"{path}: reading it needs pyarrow; pip install pyarrow") from None
        return enumerate(parquet.read_table(path).to_pylist(), 1)
    text = _bytes(path).decode("utf-8-sig")
    if name.endswith(".json") and text.lstrip().startswith("["):
        return enumerate(json.loads(text), 1)
    if name.endswith((".jsonl", ".json")):  # some authors call their JSON lines .json
        return _json_lines(path, text)
    tabs = name.endswith(".tsv")  # a quotation mark may stand anywhere in them
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter="\t" if tabs else ",", strict=not tabs)
    return enumerate(reader, 2)
