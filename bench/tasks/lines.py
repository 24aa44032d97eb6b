"""Tasks made of lines: plain records of a question and its right answer, from wherever they come.

A line has ``id``, ``query`` and ``reference`` (a text, a label, a JSON object; ``null`` where abstaining is
right), and optionally ``kind`` (text, label, json, open), ``references``, ``task``, ``instruction``, ``schema``,
``relevant`` (document ids), ``role``, ``tags`` and ``split`` (train, development, test; test if missing).

Of kind ``open`` no one answer is right: rules (``tags["rules"]``), a schema and detectors judge it. Its reference is
an example to learn from, or ``null``.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.metrics.json_schema import violation
from bench.records import Sample
from bench.tasks.base import SPLITS, Lesson, Suite, always
from bench.tasks.checks import blank, check_fields, check_filters, check_tags
from systems.base import Document, Example, Query, UserError

KINDS = ("text", "label", "json", "open")
FIELDS: dict[str, tuple[type, ...]] = {
    "id": (str, int),
    "query": (str,),
    "reference": (str, int, float, bool, dict, list, type(None)),
    "references": (list,),
    "kind": (str,),
    "task": (str,),
    "instruction": (str,),
    "schema": (dict,),
    "relevant": (list,),
    "role": (str, type(None)),
    "tags": (dict,),
    "split": (str,),
    "cluster": (str, int),
    "filters": (dict,),
}
REQUIRED = ("id", "query", "reference")
EXAMPLE = '{"id": "1", "query": "...", "reference": "..."}'
INSTRUCTIONS = {
    "text": "Answer the question. Use the passages if there are any, and cite the one you used like [1]. "
    "If you do not know, say: I don't know.",
    "label": "Answer with one of these labels and nothing else: {labels}.",
    "json": "Answer with one JSON object and nothing else.",
    "open": "",
}
METRICS = {
    "text": ("accuracy", "exact_match", "token_f1", "abstained_rate", "false_refusal_rate", "abstention_recall",
             "unfaithful_rate", "unfaithful_rate_attempted", "accepted"),
    "label": ("accuracy", "macro_f1", "accepted"),
    "json": ("accuracy", "format_adherence", "format_repaired", "field_accuracy", "field_accuracy_valid", "accepted"),
    "open": ("abstained_rate", "unfaithful_rate", "unfaithful_rate_attempted", "accepted"),
}  # fmt: skip
RULES = ("rules_followed", "rules_followed_loose", "rule_share", "rule_share_loose")
FORMAT = ("format_adherence", "format_repaired")
RETRIEVAL = ("recall_at_1", "recall_at_5", "recall_at_10", "success_at_5", "mrr", "ndcg_at_10")
MOST_SHOWN_LABELS = 200
RESERVED = ("suite",)
"""Names that a task cannot have: results call the whole suite so."""


@dataclass(frozen=True)
class Line:
    """One record, checked."""

    data: Mapping[str, Any]
    split: str
    task: str
    kind: str


def checked(data: Any, where: str) -> Line:
    """A record as a line; the first mistake in it is an error that begins with ``where``."""
    if not isinstance(data, dict):
        raise UserError(f"{where}: must be an object such as {EXAMPLE}")
    for name in REQUIRED:
        if name not in data:
            raise UserError(f"{where}: {name} is missing; every sample has id, query and reference")
    check_fields(data, FIELDS, where)
    if data.get("task") in RESERVED:
        raise UserError(f"{where}: task {data['task']!r} stands for the whole; give it another name")
    check_tags(data.get("tags", {}), where)
    for name in ("id", "query", "task"):
        if blank(str(data.get(name, "files"))):
            raise UserError(f"{where}: {name} is empty")
    for name, kinds in (("references", (str,)), ("relevant", (str, int))):
        for item in data.get(name, ()):
            if not isinstance(item, kinds) or isinstance(item, bool):
                raise UserError(f"{where}: {name} must hold {' or '.join(k.__name__ for k in kinds)}, not {item!r}")
    check_filters(data.get("filters", {}), f"{where}: filters")
    split = data.get("split", "test")
    if split not in SPLITS:
        raise UserError(f"{where}: split {split!r}: must be one of {', '.join(SPLITS)}")
    if "schema" in data:
        try:
            wrong = violation(data["schema"], data["reference"])
        except UserError as error:
            raise UserError(f"{where}: schema: {error}") from None
        if wrong is not None and data["reference"] is not None:
            raise UserError(f"{where}: the reference does not fit the sample's own schema: {wrong}")
    structured = isinstance(data["reference"], (dict, list)) or "schema" in data
    kind = data.get("kind", "json" if structured else "text")
    if kind not in KINDS:
        raise UserError(f"{where}: kind {kind!r}: must be one of {', '.join(KINDS)}")
    if kind != "json" and isinstance(data["reference"], (dict, list)):
        raise UserError(f"{where}: reference must be one value for kind {kind}, or give kind json")
    if kind in ("text", "label") and blank(_text(data["reference"])):
        raise UserError(f"{where}: reference is empty; write null where abstaining is right")
    return Line(data, split, data.get("task", "files"), kind)


class Lines:
    """Checked lines, each id once in its task."""

    def __init__(self) -> None:
        self.found: list[Line] = []
        self._seen: dict[tuple[str, str], str] = {}

    def add(self, data: Any, where: str, place: str) -> None:
        """Check one record; ``place`` says where an id stood, should it come again."""
        line = checked(data, where)
        key = (line.task, str(line.data["id"]))
        if key in self._seen:
            raise UserError(f"{where}: id {key[1]!r} stands on {self._seen[key]} already; ids must differ")
        self._seen[key] = place
        self.found.append(line)


@dataclass(frozen=True, kw_only=True)
class LinesTask:
    """The lines of one task."""

    name: str
    kind: str
    lines: tuple[Line, ...]
    max_tokens: int = 64
    limit: int | None = None
    train_limit: int | None = None
    shots: int = 8
    measured: tuple[str, ...] = ()
    """Names of its metrics; none: those of its kind."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """By kind, and those of what some line has: rules, relevant documents, ..."""

        def some(tag: str) -> bool:
            return any(line.data.get("tags", {}).get(tag) for line in self.lines)

        found = list(self.measured or METRICS[self.kind])
        if self.kind == "open" and any("schema" in line.data for line in self.lines):
            found += FORMAT
        if some("rules"):
            found += RULES
        if some("out_of_scope"):
            found += ["out_of_scope_recall"]
        if any(line.data.get("relevant") for line in self.lines):
            found += RETRIEVAL
        return tuple(dict.fromkeys(found))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Every label of the task, in order."""
        given = [line.data["reference"] for line in self.lines if self.kind == "label"]
        return tuple(sorted({_text(reference) for reference in given if reference is not None}))

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Solved samples of the training split, each with another answer; drawn where there are more than shown."""
        seen: dict[str, Example] = {}
        for line in self._solved:
            answer = _text(line.data["reference"])
            seen.setdefault(answer, Example(query=line.data["query"], answer=answer))
        found = list(seen.values())
        return tuple(found if len(found) <= self.shots else self._rng("examples").sample(found, self.shots))

    def _rng(self, purpose: str) -> random.Random:
        return random.Random(f"lines-{self.name}-{purpose}")

    def _of(self, split: str) -> list[Line]:
        """Lines of a split, in the order of the file. A limit draws, since files are often sorted by their labels."""
        found = [line for line in self.lines if line.split == split]
        limit = self.train_limit if split == "train" else self.limit
        if limit is None or len(found) <= limit:
            return found
        drawn = self._rng(split).sample(range(len(found)), len(found))
        if split == "train":  # labels take turns: what is learned should have examples of each
            groups: dict[str, list[int]] = {}
            for at in drawn:
                groups.setdefault(_text(found[at].data["reference"]) if self.kind == "label" else "", []).append(at)
            turns = itertools.zip_longest(*groups.values())
            drawn = [at for turn in turns for at in turn if at is not None]
        return [found[at] for at in sorted(drawn[:limit])]

    @property
    def _solved(self) -> list[Line]:
        """Lines of the training split with an answer to learn; an open one may have none."""
        return [line for line in self._of("train") if self.kind != "open" or line.data["reference"] is not None]

    def _query(self, line: Line) -> Query:
        instruction = line.data.get("instruction") or INSTRUCTIONS[self.kind]
        if self.kind == "label" and len(self.labels) <= MOST_SHOWN_LABELS:
            instruction = instruction.replace("{labels}", ", ".join(self.labels))
        elif instruction == INSTRUCTIONS["label"]:
            instruction = "Answer with the label of this text and nothing else."
        return Query(
            text=line.data["query"],
            instruction=instruction,
            schema=line.data.get("schema"),
            examples=self.examples,
            role=line.data.get("role"),
            filters=read_filters(line.data.get("filters", {})),
            max_tokens=self.max_tokens,
        )

    def samples(self, split: str) -> list[Sample]:
        return [
            Sample(
                id=str(line.data["id"]),
                task=self.name,
                query=self._query(line),
                reference=line.data["reference"]
                if self.kind == "json" or line.data["reference"] is None
                else _text(line.data["reference"]),
                open=self.kind == "open",
                references=tuple(line.data.get("references", ())),
                relevant=tuple(map(str, line.data.get("relevant", ()))),
                cluster=str(line.data.get("cluster", _first(line) or "")),
                tags={**line.data.get("tags", {}), **({"labels": list(self.labels)} if self.labels else {})},
            )
            for line in self._of(split)
        ]

    def lessons(self) -> Sequence[Lesson]:
        return [
            Lesson(task=self.name, query=self._query(line), answer=always(_text(line.data["reference"])))
            for line in self._solved
        ]


def read_filters(given: Mapping[str, Any]) -> dict[str, Any]:
    """A line's filters as ``systems.base.Filters`` takes them."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def _first(line: Line) -> str | None:
    """The first relevant document: samples that share it are one cluster. ``None`` where none is named.

    Not every document that two samples share: in sets that want several per question, all would hang together.
    """
    return next((str(one) for one in line.data.get("relevant", ())), None)


def _text(reference: Any) -> str:
    """A reference as an answer would put it."""
    if reference is None:
        return "I don't know."
    return reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False)


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
