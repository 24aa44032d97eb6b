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

from bench.tasks.public.layout import ENDS, configs, holds, one_table, places
from systems.artifacts import file_hash
from systems.base import Document, Failure, UserError

BAD_FILE = (ValueError, RecursionError, TypeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a file of another form, or a broken one, raises."""
CSV = (".csv", ".tsv")


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

    def files(self, *names: str) -> list[Path]:
        """The first of these files that is there; several, where it is in shards."""
        for name in names:
            if matched := list(self.path.glob(name)):
                found = one_table(matched)
                self.read |= {one.relative_to(self.path).as_posix(): file_hash(one)[:16] for one in found}
                return found
        return []

    def json(self, *names: str) -> Any:
        """A whole JSON file, the first of these."""
        found = self.files(*names)
        if not found:
            raise UserError(f"suite.path={self.path}: has no {' or '.join(names)}")
        try:
            return json.loads(b"".join(map(_bytes, found)))
        except BAD_FILE as error:
            raise UserError(f"{found[0]}: not JSON: {error}") from None

    def table(self, *stems: str, config: str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """Rows of a table in any of the usual forms, the first of these, wherever a hub would keep it (``layout.py``).

        Each has the place it stands at, for errors. ``config``: the configuration it belongs to; ``None``: any.
        """
        found = self.files(*(name for stem in stems for name in places(stem, config)))
        if not found:
            folder = self.path / config if config else self.path
            raise UserError(f"suite.path={folder}: has no {' or '.join(stem + end for stem in stems for end in ENDS)}")
        return [row for path in found for row in _table(path)]

    def has(self, *stems: str, config: str | None = None) -> bool:
        """Whether there is one of these tables."""
        return any(holds(self.path, stem, config) for stem in stems)

    def configs(self, stem: str, wanted: str | None = None) -> list[str]:
        """The configurations that have such a table, or the one that is wanted; an empty one where it has none."""
        found = configs(self.path, stem)
        if wanted is not None and wanted not in found:
            there = ", ".join(filter(None, found)) or "none"
            raise UserError(f"suite.config={wanted}: {self.path} has no such folder with {stem}; there are: {there}")
        return found if wanted is None else [wanted]


class Reader(Protocol):
    """Makes a data set of a source. A new one is one file, one YAML, one test.

    What its YAML has besides the settings of every public suite is handed to it by name.
    """

    def __call__(self, source: Source, **settings: Any) -> DataSet: ...


def _table(path: Path) -> list[tuple[str, dict[str, Any]]]:
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
        table = parquet.read_table(path)
        return enumerate(_with_names(table.to_pylist(), table.schema.metadata or {}), 1)
    text = _bytes(path).decode("utf-8-sig")
    if name.endswith(".json") and text.lstrip().startswith("["):
        return enumerate(json.loads(text), 1)
    if name.endswith((".jsonl", ".json")):  # some authors call their JSON lines .json
        return _json_lines(path, text)
    tabs = name.endswith(".tsv")  # a quotation mark may stand anywhere in them
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter="\t" if tabs else ",", strict=not tabs)
    return enumerate(reader, 2)


def _with_names(rows: list[dict[str, Any]], metadata: Mapping[bytes, bytes]) -> Iterable[dict[str, Any]]:
    """Labels are numbers in the files of a hub; their names stand in the schema."""
    features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    names = {key: one["names"] for key, one in features.items() if isinstance(one, dict) and "names" in one}
    return [{**row, **{key: names[key][row[key]] for key in names}} for row in rows] if names else rows
