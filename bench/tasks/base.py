"""What a task is, and what a suite is: samples, how they are scored, and what may be learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from bench.records import Prediction, Sample
from systems.base import Chunk, Document, Query

SPLITS = ("train", "development", "test")


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Something of the training split that tuning may use."""

    query: Query
    answer: Callable[[Sequence[Chunk]], str | None]
    """The right answer given the passages shown (none: closed book); ``None``: no lesson with these."""
    retrieve: bool = True
    """Also a lesson with passages that the run's retriever finds for it."""
    task: str = ""
    control: bool = False
    """Holds one fact that the weights should know afterwards: closed book, it is part of the positive control."""


def always(answer: str) -> Callable[[Sequence[Chunk]], str | None]:
    """The same answer whatever is shown."""
    return lambda passages: answer


class Task(Protocol):
    """A source of samples. A new task is one file, one YAML, one test."""

    @property
    def name(self) -> str: ...

    @property
    def metrics(self) -> Sequence[str]:
        """Names of the metrics that score it (``conf/metric``)."""
        ...

    def samples(self, split: str) -> Sequence[Sample]:
        """Samples of ``train``, ``development`` or ``test``, always the same ones."""
        ...

    def lessons(self) -> Sequence[Lesson]:
        """What tuning may learn from; empty where there is no training split."""
        ...


@runtime_checkable
class SelfJudging(Protocol):
    """A task whose answers are judged by code of its own, beside the run's detector."""

    @property
    def judge(self) -> str:
        """Name of its verdicts; metrics read them by it."""
        ...

    def verdicts(self, predictions: Sequence[Prediction]) -> Sequence[Mapping[str, Any] | None]:
        """One for each prediction of the task; ``None`` where there is nothing to judge."""
        ...


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Tasks that are asked over one corpus."""

    name: str
    tasks: tuple[Task, ...]
    corpus: tuple[Document, ...] = ()
    parity: bool | None = None
    """Whether the evaluated facts also stand in the training text; ``None``: cannot be known."""
    unseen: frozenset[str] = frozenset()
    """Ids of documents that no training prompt may show, not even as a distractor."""
    data: dict[str, str] = field(default_factory=dict)
    """What the data is, for the manifest: source and hash."""

    def samples(self, split: str = "test") -> list[Sample]:
        """All samples of a split, task after task."""
        return [sample for task in self.tasks for sample in task.samples(split)]

    def lessons(self) -> list[Lesson]:
        """All lessons, task after task."""
        return [lesson for task in self.tasks for lesson in task.lessons()]
