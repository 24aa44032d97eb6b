"""No detector: nothing is judged, and measures that need a judgement stay empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.records import Prediction, Sample
from systems.base import Chunk


@dataclass(frozen=True)
class NoDetector:
    """Judges nothing."""

    name: str = "none"

    def judge(self, sample: Sample, prediction: Prediction, shown: Sequence[Chunk]) -> Mapping[str, Any] | None:
        return None
