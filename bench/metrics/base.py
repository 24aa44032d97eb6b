"""What a metric is: a pure function of a sample and a stored prediction, then a fold over many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.records import Prediction, Sample

DECLARED = "declared"
"""Stands for the detector that the run declares, whichever it is."""


@dataclass(frozen=True)
class Value:
    """A metric's word on one prediction; ``None`` means it does not apply to this sample."""

    value: float | None
    detail: Mapping[str, Any] = field(default_factory=dict)


class Metric(Protocol):
    """One measure. Needs no model: verdicts of detectors are handed in.

    May have ``bounds``, the least and the greatest value possible (see ``bounds_of``).
    """

    @property
    def name(self) -> str: ...

    @property
    def unit(self) -> str:
        """``share`` for 0/1 values (Wilson interval), ``mean`` otherwise (bootstrap)."""
        ...

    @property
    def higher_is_better(self) -> bool: ...

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        """``verdicts``: what detectors said of this prediction, by detector name, and under ``DECLARED``."""
        ...


UNIT_RANGE = (0.0, 1.0)


def bounds_of(metric: Metric) -> tuple[float, float] | None:
    """The least and the greatest value of a metric: its ``bounds``; 0 and 1 for shares; ``None`` if it tells none."""
    default = UNIT_RANGE if metric.unit == "share" else None
    found: tuple[float, float] | None = getattr(metric, "bounds", default)
    return found
