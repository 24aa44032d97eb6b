"""The records that pass between stages: frozen, typed, and written as JSON lines.

``Sample`` (a task makes it) → ``Prediction`` (a system's stored answer) → ``Score`` (one metric's value
for one prediction) → ``Estimate`` (over many, with an interval).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from systems.base import Likelihood, Query


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One question of a task, with what its scoring needs. Systems see its ``query`` alone."""

    id: str
    task: str
    query: Query
    reference: Any
    """What is right: a text, a label, a JSON value; ``None`` where the right answer is to abstain."""
    open: bool = False
    """Whether no one answer is right: rules, a schema or a detector alone judge, and ``reference`` is an example or
    ``None``."""
    references: tuple[str, ...] = ()
    """Other spellings of a textual reference that count as right."""
    relevant: tuple[str, ...] = ()
    """Ids of the documents or chunks that hold the answer."""
    cluster: str = ""
    """What samples share (their source document): the unit of the cluster bootstrap. Empty: independent."""
    template: str = ""
    """Names the wording, so that no wording can dominate a task unseen."""
    tags: Mapping[str, Any] = field(default_factory=dict)
    """What metrics and breakdowns need besides: value kind, difficulty, ..."""


@dataclass(frozen=True, order=True)
class Key:
    """Names one planned prediction of a run."""

    system: str
    task: str
    sample: str
    repeat: int = 0


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A stored answer. ``error`` holds why no answer came; such a prediction is scored, never dropped."""

    system: str
    task: str
    sample: str
    repeat: int = 0
    text: str = ""
    reasoning: str = ""
    """The steps written before the answer, where the prompt asked for them; no measure reads them."""
    citations: tuple[int, ...] = ()
    retrieved: tuple[str, ...] = ()
    """Ids of the retrieved chunks, best first."""
    retrieved_documents: tuple[str, ...] = ()
    """Their documents, in the same order."""
    shown: tuple[str, ...] = ()
    """Ids of the chunks that stood in the prompt: passage 1 first."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds per stage."""
    tokens_in: int = 0
    tokens_out: int = 0
    finish_reason: str = "stop"
    outputs: tuple[str | Likelihood, ...] = ()
    """What each of the query's own calls gave."""
    error: str | None = None

    @property
    def key(self) -> Key:
        return Key(self.system, self.task, self.sample, self.repeat)

    @property
    def retrieves(self) -> bool:
        """Whether its system searched (its timings say so), though it may have found nothing at all."""
        return bool(self.retrieved) or "search" in self.timings


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric's value for one prediction."""

    system: str
    task: str
    sample: str
    repeat: int
    metric: str
    value: float | None
    """``None``: the metric does not apply to this sample (it is left out of that metric's denominator)."""
    detail: Mapping[str, Any] = field(default_factory=dict)


INVALID = "INVALID"
"""Stands in the mode of what was measured while the client could not keep up, and of what rests on that."""
OWN_PRICE = "a figure of your own"
"""Source of a price that was given by hand."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measured number with its uncertainty: an entry of ``summary.json``."""

    estimate: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    reason: str | None = None
    """Why ``estimate`` is ``None``."""
    mode: str | None = None
    """How it was taken, for latency and cost."""
    method: str | None = None
    """The interval's method and level."""

    @property
    def invalid(self) -> bool:
        """Whether it is to be shown, marked, and to be compared with nothing."""
        return INVALID in (self.mode or "")

    def to_json(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if value is not None or name in ("estimate", "low", "high")
        }
