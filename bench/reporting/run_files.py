"""Reads a run directory: what the report is made from, checked, with every error named by file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from systems.base import UserError

SCHEMA = Path(__file__).with_name("summary.schema.json")
COST_SCHEMA = Path(__file__).with_name("cost.schema.json")


@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """The files of a run as plain JSON. Only the summary is a must; what is missing leaves its section out."""

    directory: Path
    summary: Mapping[str, Any]
    manifest: Mapping[str, Any] = field(default_factory=dict)
    scores: tuple[Mapping[str, Any], ...] = ()
    predictions: tuple[Mapping[str, Any], ...] = ()
    samples: tuple[Mapping[str, Any], ...] = ()
    attribution: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    """Counts of first causes: system, task, cause."""
    agreement: Mapping[str, Any] = field(default_factory=dict)
    """What people's labels agree with, as ``bench label`` left it."""
    cost: Mapping[str, Any] = field(default_factory=dict)
    """The account, as ``bench cost`` or the report left it."""


def read_run(directory: Path) -> RunFiles:
    """The files under ``directory``. Raises ``UserError`` where one is missing, broken or not by its schema."""
    summary = read_summary(directory)
    cost = _object(directory / "cost.json")
    if cost:
        _check(cost, COST_SCHEMA, str(directory / "cost.json"), "bench cost")
    return RunFiles(
        directory=directory,
        summary=summary,
        cost=cost,
        manifest=_object(directory / "manifest.json"),
        scores=tuple(_lines(directory / "scores.jsonl", ("system", "task", "sample", "metric", "value"))),
        predictions=tuple(_lines(directory / "predictions.jsonl", ("system", "task", "sample"), torn=True)),
        samples=tuple(_lines(directory / "samples.jsonl", ("id", "task", "query"))),
        attribution=_object(directory / "attribution.json"),
        agreement=_object(directory / "agreement.json"),
    )


def read_summary(directory: Path) -> dict[str, Any]:
    """The summary under ``directory``. Raises ``UserError`` where it is missing, broken or not by its schema."""
    if not directory.is_dir():
        raise UserError(f"{directory}: no such run directory; give the directory that `bench run` printed")
    summary = _object(directory / "summary.json", needed=True)
    check_summary(summary, str(directory / "summary.json"))
    return summary


def check_summary(summary: Mapping[str, Any], where: str = "summary.json") -> None:
    """Raises ``UserError`` with the first place where a summary does not follow its schema."""
    _check(summary, SCHEMA, where, "bench report")


def _check(data: Mapping[str, Any], schema: Path, where: str, stage: str) -> None:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    errors = sorted(validator.iter_errors(data), key=lambda error: list(map(str, error.path)))
    if errors:
        place = "/".join(map(str, errors[0].path)) or "the top level"
        raise UserError(f"{where}: {place}: {errors[0].message[:200]}; write it again with `{stage}`")


def _object(path: Path, *, needed: bool = False) -> dict[str, Any]:
    if not path.is_file():
        if needed:
            raise UserError(f"{path}: missing; `bench report` writes it once the run is scored")
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}); remove it and run its stage again") from None
    if not isinstance(data, dict):
        raise UserError(f"{path}: holds a {type(data).__name__}, must hold a JSON object")
    return data


def _lines(path: Path, keys: tuple[str, ...], *, torn: bool = False) -> Iterator[Mapping[str, Any]]:
    """Records of a JSONL file. ``torn``: a last line without its newline is a write cut short, and is left out."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if torn and not line.endswith("\n"):
                return
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise UserError(f"{path}:{number}: not JSON ({error}); run the stage that writes it again") from None
            missing = [key for key in keys if not isinstance(record, dict) or key not in record]
            if missing:
                raise UserError(f"{path}:{number}: no {missing[0]!r}; a line must hold {', '.join(keys)}")
            yield record
