"""Scores that were made elsewhere: a CSV or JSONL file with a score per line.

Columns: ``system``, ``sample``, ``score`` (a number), and optionally ``task`` and ``cluster`` (what a sample
shares with others, as its source document).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.json_lines import read_objects
from bench.metrics.base import Value
from bench.pool import Pool
from bench.records import Prediction, Sample, Score
from systems.base import Query, UserError

LARGEST = 1e100
"""Sums and squares of scores up to here stay in a double's range."""
NEEDED = ("system", "sample", "score")
TEXTS = ("system", "sample", "task", "cluster")
KNOWN = (*NEEDED, "task", "cluster")
SUFFIXES = (".csv", ".jsonl")


@dataclass(frozen=True)
class Given:
    """A measure that comes with its values."""

    name: str = "score"
    unit: str = "mean"
    higher_is_better: bool = True
    bounds: tuple[float, float] | None = None
    """The least and the greatest score possible; ``None``: the user did not say."""

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        """Never asked: the values are there."""
        raise NotImplementedError("given scores are not computed")


def read_scores(path: Path, bounds: tuple[float, float] | None = None) -> Pool:
    """All scores of a file; ``bounds`` are what a score can be. The first mistake is an error that names its line."""
    samples: dict[tuple[str, str], Sample] = {}
    lines: dict[tuple[str, str, str], int] = {}
    predictions, scores = [], []
    for number, row in _rows(path):
        where = f"{path}:{number}"
        system, name, task, cluster = (_text(row.get(key), key, where) for key in TEXTS)
        for key, text in (("system", system), ("sample", name)):
            if not text.strip():
                raise UserError(f"{where}: {key} is empty")
        value = _number(row["score"], where)
        if bounds is not None and not bounds[0] <= value <= bounds[1]:
            raise UserError(f"{where}: score {value:g} is not within bounds={bounds[0]:g},{bounds[1]:g}")
        if (system, task, name) in lines:
            first = lines[system, task, name]
            raise UserError(f"{where}: system {system!r} has a score for sample {name!r} on line {first} already")
        lines[system, task, name] = number
        sample = Sample(id=name, task=task or "scores", query=Query(text=""), reference=None, cluster=cluster)
        known = samples.setdefault((task, name), sample)
        if known.cluster != cluster:
            raise UserError(f"{where}: sample {name!r} is in cluster {cluster!r} here and in {known.cluster!r} above")
        predictions.append(Prediction(system=system, task=sample.task, sample=name))
        scores.append(Score(system=system, task=sample.task, sample=name, repeat=0, metric=Given.name, value=value))
    if not scores:
        raise UserError(f"{path}: has no scores")
    return Pool(tuple(samples.values()), tuple(predictions), tuple(scores), (Given(bounds=bounds),))


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Line number and record."""
    if path.suffix == ".csv":
        yield from _table(path)
        return
    for number, where, record in read_objects(path, '{"system": "rag", "sample": "1", "score": 1}'):
        _check_columns(list(record), where)
        yield number, record


def _table(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8; save the file as UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    _check_columns(reader.fieldnames or [], f"{path}:1")
    try:
        for row in reader:
            if None in row or None in row.values():
                raise UserError(f"{path}:{reader.line_num}: has not as many fields as the first line")
            yield reader.line_num, row
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: not CSV: {error}") from None


def _check_columns(names: list[str] | Any, where: str) -> None:
    for name in NEEDED:
        if name not in names:
            raise UserError(f"{where}: {name} is missing; needed are {', '.join(NEEDED)}, possible task and cluster")
    for name in names:
        if list(names).count(name) > 1:
            raise UserError(f"{where}: column {name!r} stands there twice")
        if name not in KNOWN:
            raise UserError(f"{where}: unknown column {name!r}; there are: {', '.join(KNOWN)}")


def _text(value: Any, name: str, where: str) -> str:
    """A name; numbers are names too, and 0 is one of them."""
    if not isinstance(value, str | int | float | None):
        raise UserError(f"{where}: {name} must be a text or a number, not {type(value).__name__}")
    return "" if value is None else str(value)


def _number(value: Any, where: str) -> float:
    try:
        found = math.nan if value is None or "_" in str(value) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise UserError(f"{where}: score {value!r} is not a number")
    if abs(found) > LARGEST:
        raise UserError(f"{where}: score {value!r} is out of range; at most {LARGEST:g}")
    return found
