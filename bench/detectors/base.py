"""What a detector is: it says of a stored answer what it asserts, and whether that is so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from bench.metrics.outcome import attempted
from bench.records import Prediction, Sample
from systems.base import Chunk, UserError

Verdict = Mapping[str, Any]
"""``unfactual`` (bool; ``None`` where the detector knows no world), ``unfaithful`` (bool, ``None`` without passages),
``conflicts`` and ``asserted`` (counts), ``supports`` (bool per shown passage), and, of a detector with a threshold,
``score`` (higher: likelier unfaithful)."""


@dataclass(frozen=True)
class Case:
    """A stored answer with what its judge needs."""

    sample: Sample
    prediction: Prediction
    shown: tuple[Chunk, ...] = ()


class Detector(Protocol):
    """Judges answers once; its verdicts are kept and scored from."""

    @property
    def name(self) -> str: ...

    def judge(self, sample: Sample, prediction: Prediction, shown: Sequence[Chunk]) -> Verdict | None:
        """``None``: this sample is not its kind."""
        ...


@runtime_checkable
class ModelDetector(Protocol):
    """A detector that asks a model: many answers at once, and no answer twice."""

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str:
        """Names the model, its revision and the way it is asked: verdicts of another identity are not reused."""
        ...

    def judge_all(self, cases: Iterable[Case]) -> Iterator[tuple[int, Verdict | None]]:
        """Yield ``(index, verdict)`` as each is known, in any order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Accountable:
    """A detector that is held against people's labels of the run's answers (``bench label``)."""

    least_kappa: float | None = None
    """Cohen's kappa under which the measures that rest on it are secondary; ``None``: any will do. Less than 0.6 is
    inadequate agreement (McHugh 2012, doi 10.11613/BM.2012.031)."""
    labels_needed: ClassVar[bool] = False
    """Whether they are secondary too while nobody has labelled any answer."""

    def __post_init__(self) -> None:
        if self.least_kappa is not None and not 0 <= self.least_kappa <= 1:
            raise UserError(f"detector.least_kappa={self.least_kappa}: must be between 0 and 1")


def nothing_asserted(shown: Sequence[Chunk], **more: Any) -> Verdict:
    """The verdict on an answer that abstains, is empty or never came."""
    return {
        "asserted": 0,
        "unfactual": False,
        "conflicts": 0,
        "unfaithful": False if shown else None,
        "supports": [False] * len(shown),
        **more,
    }


def unjudged(case: Case) -> Verdict:
    """What needs no model: an answer that asserts nothing, or that has no passages it could be compared with."""
    if attempted(case.prediction):
        return faithfulness_verdict(True, 1.0, ())
    return nothing_asserted(case.shown, unfactual=None, supports=None, score=0.0)


def faithfulness_verdict(
    unfaithful: bool, score: float, shown: Sequence[Chunk], supports: Sequence[bool] = (), **more: Any
) -> Verdict:
    """The verdict of a detector that compares an answer with its passages and knows nothing else."""
    return {
        "asserted": 1,
        "unfactual": None,
        "conflicts": 0,
        "unfaithful": unfaithful if shown else None,
        "supports": list(supports) if supports else None,
        "score": score,
        **more,
    }
