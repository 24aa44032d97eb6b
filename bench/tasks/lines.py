"""Suites made of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.tasks.base import Suite
from bench.tasks.line import Line
from bench.tasks.lines_task import LinesTask
from systems.base import Document, UserError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of the lines is used, and how long answers may be."""

    max_tokens: int = 64
    limit: int | None = None
    """Samples per task, at most."""
    train_limit: int | None = None
    """Training samples per task, at most."""
    shots: int = 8
    """Solved examples in the full prompt, at most."""

    def __post_init__(self) -> None:
        for key, least in (("max_tokens", 1), ("limit", 1), ("train_limit", 1), ("shots", 0)):
            value = getattr(self, key)
            if value is not None and value < least:
                raise UserError(f"suite.{key}={value}: must be {least} or more")


def lines_suite(
    name: str,
    lines: Iterable[Line],
    limits: Limits,
    *,
    source: str,
    corpus: Sequence[Document] = (),
    measured: Sequence[str] = (),
    data: Mapping[str, str] | None = None,
) -> Suite:
    """A suite of one task per ``task`` named in the lines. ``source`` begins its errors."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.task, []).append(line)
    if not any(line.split == "test" for members in groups.values() for line in members):
        raise UserError(f"{source}: has no sample with split test, so there is nothing to evaluate")
    tasks: list[LinesTask] = []
    for task, members in groups.items():
        named = {line.kind for line in members}
        # Abstaining is right in any kind of task but an open one, so its lines need not repeat the kind.
        told = named if "open" in named else {line.kind for line in members if line.data["reference"] is not None}
        kinds = sorted(told or named)
        if len(kinds) > 1:
            raise UserError(
                f"{source}: task {task!r} mixes kinds {' and '.join(kinds)}; give the lines another task each"
            )
        tasks.append(
            LinesTask(
                name=task,
                kind=kinds[0],
                lines=tuple(members),
                max_tokens=limits.max_tokens,
                limit=limits.limit,
                train_limit=limits.train_limit,
                shots=limits.shots,
                measured=tuple(measured),
            )
        )
    known = {document.id for document in corpus}
    for found in tasks:
        for sample in found.samples("test"):
            missing = sorted(set(sample.relevant) - known)
            if missing and known:
                raise UserError(f"{source}: sample {sample.id}: relevant document {missing[0]!r} is not in the corpus")
    return Suite(name=name, tasks=tuple(tasks), corpus=tuple(corpus), data=dict(data or {}))
