"""The task that lines of one name make: its prompts, its samples, its lessons."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.records import Sample
from bench.tasks.base import Lesson, always
from bench.tasks.line import Line, as_answer
from systems.base import Example, Query

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
        return tuple(sorted({as_answer(reference) for reference in given if reference is not None}))

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Solved samples of the training split, each with another answer; drawn where there are more than shown."""
        seen: dict[str, Example] = {}
        for line in self._solved:
            answer = as_answer(line.data["reference"])
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
                groups.setdefault(as_answer(found[at].data["reference"]) if self.kind == "label" else "", []).append(at)
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
                else as_answer(line.data["reference"]),
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
            Lesson(task=self.name, query=self._query(line), answer=always(as_answer(line.data["reference"])))
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
