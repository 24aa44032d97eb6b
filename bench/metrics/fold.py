"""Metrics that are no mean of per-sample values: a fold of counts summed over many samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from bench.records import Prediction, Sample


@runtime_checkable
class FoldMetric(Protocol):
    """Beside ``score``: counts per sample that can be added up, and the statistic of their sums.

    So a bootstrap needs only sums over the samples drawn.
    """

    def applies(self, sample: Sample) -> bool:
        """Whether the sample counts."""
        ...

    def counts(self, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> np.ndarray:
        """Shape (samples, columns). The columns depend on the samples alone, so that systems can be compared."""
        ...

    def fold(self, totals: np.ndarray) -> np.ndarray:
        """Sums of counts, shape (..., columns), to the statistic, shape (...), which lies in 0 … 1."""
        ...
