"""What a detector is: it says of a stored answer what it asserts, and whether that is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bench.records import Prediction, Sample
from systems.base import Chunk


class Detector(Protocol):
    """Judges answers once; its verdicts are kept and scored from."""

    name: str

    def judge(self, sample: Sample, prediction: Prediction, shown: Sequence[Chunk]) -> Mapping[str, Any] | None:
        """``unfactual`` (bool), ``unfaithful`` (bool, ``None`` without passages), ``conflicts`` and
        ``asserted`` (counts), ``supports`` (bool per shown passage); ``None``: this sample is not its kind."""
        ...
