"""Predictions beside their samples and verdicts, one at a time: memory does not grow with the run.

A temporary database on disk holds where each line begins. It sorts and joins these places; the lines themselves are
read when their turn comes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from bench.journal import unseal, whole
from bench.records import Prediction, Sample
from bench.workspace import Workspace, prediction_from, sample_from
from systems.base import Failure, UserError

KEY = ("system", "task", "sample", "repeat")

TABLES = """
CREATE TABLE predictions (system, task, sample, repeat, place);
CREATE TABLE samples (task, sample, place, PRIMARY KEY (task, sample)) WITHOUT ROWID;
CREATE TABLE verdicts (system, task, sample, repeat, place, PRIMARY KEY (system, task, sample, repeat)) WITHOUT ROWID;
"""
JOINED = """
SELECT predictions.place, samples.place, verdicts.place FROM predictions
LEFT JOIN samples USING (task, sample) LEFT JOIN verdicts USING (system, task, sample, repeat)
ORDER BY system, task, sample, repeat, predictions.place
"""


@dataclass(frozen=True)
class Joined:
    """A stored answer with all that its scoring needs."""

    sample: Sample
    prediction: Prediction
    verdicts: Mapping[str, Any]
    """What detectors said of it, by detector."""


def joined(workspace: Workspace) -> Iterator[Joined]:
    """Every prediction of a run, ordered by system, task, sample and repeat."""
    if not workspace.samples.exists():
        raise UserError(f"{workspace.path}: is no run directory (samples.jsonl is missing)")
    with closing(sqlite3.connect("")) as database, ExitStack() as stack:
        answers, samples, verdicts = (
            stack.enter_context(_opened(path))
            for path in (workspace.predictions, workspace.samples, workspace.verdicts)
        )
        for answer, sample, verdict in _places(database, workspace.predictions, samples, verdicts):
            prediction = prediction_from(unseal(_line(answers, answer)) or {})
            if sample is None:
                raise UserError(
                    f"{workspace.predictions}: answers sample {prediction.sample!r} of task {prediction.task!r}, "
                    f"which is not in {workspace.samples.name}"
                )
            said = {} if verdict is None else json.loads(_line(verdicts, verdict))["verdicts"]
            yield Joined(sample_from(json.loads(_line(samples, sample))), prediction, said)


def _places(
    database: sqlite3.Connection, predictions: Path, samples: BinaryIO, verdicts: BinaryIO
) -> Iterator[tuple[int, int | None, int | None]]:
    """Where a prediction, its sample and its verdicts begin in their files, in the order of the predictions."""
    try:
        database.executescript(TABLES)
        _keep(database, "predictions", KEY, _journalled(predictions))
        _keep(database, "samples", ("task", "id"), _written(samples))
        _keep(database, "verdicts", KEY, _written(verdicts))
        yield from database.execute(JOINED)
    except sqlite3.Error as error:
        raise Failure(f"scoring: the temporary database failed: {error}; SQLITE_TMPDIR says where it lives") from error


def _keep(
    database: sqlite3.Connection, table: str, names: tuple[str, ...], placed: Iterable[tuple[int, Mapping[str, Any]]]
) -> None:
    """Of lines that have the same key, the last counts; a prediction is kept as often as it stands there."""
    rows = ((*(_comparable(record[name]) for name in names), place) for place, record in placed)
    marks = ", ".join("?" * (len(names) + 1))
    database.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)


def _comparable(value: str | int) -> bytes | int:
    """Texts as bytes: they sort as in Python, and a lone surrogate, which SQLite takes for no text, is allowed."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def _journalled(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    begin = 0
    for record, end in whole(path):
        yield begin, record
        begin = end


def _written(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    begin = 0
    for line in file:
        if line.strip():
            yield begin, json.loads(line)
        begin += len(line)


def _opened(path: Path) -> BinaryIO:
    """A file that is not there has no lines."""
    return path.open("rb") if path.exists() else BytesIO()


def _line(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    return file.readline()
