"""Macro F1 over labels: the plain mean of the classes' F1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.metrics.base import Value
from bench.metrics.references import answer_kind, same_label
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class MacroF1:
    """Mean F1 of the classes that occur among the references.

    An answer that is no label of the task (or no answer) is a miss for its class and a false alarm for none. The value
    of a single prediction is whether it is right; the measure itself is ``aggregate``.
    """

    name: str = "macro_f1"
    unit: str = "mean"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        if not self.applies(sample):
            return Value(None)
        return Value(float(prediction.error is None and same_label(prediction.text, sample.reference)))

    def applies(self, sample: Sample) -> bool:
        return answer_kind(sample) == "label"

    def counts(self, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> np.ndarray:
        """Shape (samples, 3 · classes): true positives, false positives, false negatives, a column per class each."""
        classes = {name: at for at, name in enumerate(sorted({_key(sample.reference) for sample in samples}))}
        width = len(classes)
        table = np.zeros((len(samples), 3 * width))
        for row, (sample, prediction) in enumerate(zip(samples, predictions, strict=True)):
            wanted = classes[_key(sample.reference)]
            given = classes.get(_key(prediction.text)) if prediction.error is None else None
            if given == wanted:
                table[row, wanted] = 1
                continue
            table[row, 2 * width + wanted] = 1
            if given is not None:
                table[row, width + given] = 1
        return table

    def fold(self, totals: np.ndarray) -> np.ndarray:
        """Macro F1; in a resample, a class without references is left out of the mean."""
        right, false, missed = np.split(totals, 3, axis=-1)
        present = right + missed > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            scores = np.where(present, 2 * right / (2 * right + false + missed), 0.0)
            return scores.sum(axis=-1) / present.sum(axis=-1)

    def aggregate(self, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> float | None:
        """Macro F1 of the predictions for these samples, in the same order; ``None`` without labelled samples."""
        pairs = [(one, two) for one, two in zip(samples, predictions, strict=True) if self.applies(one)]
        if not pairs:
            return None
        table = self.counts([one for one, _ in pairs], [two for _, two in pairs])
        return float(self.fold(table.sum(axis=0)))


def _key(label: str) -> str:
    return label.strip().casefold()
