"""Where a public data set is read from, and what a reader makes of it."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from systems.artifacts import file_hash
from systems.base import Document, Failure, UserError

TABLES = (".jsonl", ".jsonl.gz", ".csv", ".tsv", ".json", ".parquet")


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """What a reader found: records as ``bench.tasks.lines`` describes them, and the documents they are asked over."""

    records: Iterable[Mapping[str, Any]]
    corpus: Sequence[Document] = ()
    measured: tuple[str, ...] = ()
    """Names of metrics, where those of a record's kind do not fit."""


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
        except ValueError as error:
            raise UserError(f"{path}: not JSON: {error}") from None

    def table(self, *stems: str) -> list[tuple[str, dict[str, Any]]]:
        """Rows of a table in any of the usual forms, each with the place it stands at, for errors."""
        path = self.file(*(f"{stem}{end}" for stem in stems for end in TABLES))
        try:
            rows = list(_rows(path))
        except (ValueError, csv.Error) as error:
            raise UserError(f"{path}: cannot be read as a table: {error}") from None
        return [(f"{path}:{number}", row) for number, row in rows]


class Reader(Protocol):
    """Makes a data set of a source. A new one is one file, one YAML, one test."""

    def __call__(self, source: Source) -> DataSet: ...


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


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
        return [(number, json.loads(line)) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter="\t" if name.endswith(".tsv") else ",")
    return enumerate(reader, 2)
