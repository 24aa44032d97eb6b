"""Citation recall and precision as in ALCE (Gao et al. 2023), for short answers: an answer is one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.metrics.base import DECLARED, UNIT_RANGE, Value
from bench.records import Prediction, Sample


def citation_recall(cited: Sequence[int], supports: Sequence[bool]) -> float:
    """1 where the cited passages together support the answer; none, or one out of range, is 0.

    A short answer needs one passage, so a set supports it exactly if a passage in it does.
    """
    return float(_in_range(cited, supports) and _supported(cited, supports))


def citation_precision(cited: Sequence[int], supports: Sequence[bool]) -> float:
    """Share of citations that do not fail; none, or one out of range, is 0.

    A citation fails if the cited set does not support the answer, or if the passage does not support it alone and
    the others still do without it. A redundant good citation counts.
    """
    if not _in_range(cited, supports) or not _supported(cited, supports):
        return 0.0
    kept = set(cited)
    good = sum(supports[one - 1] or not _supported(kept - {one}, supports) for one in kept)
    return good / len(kept)


def _in_range(cited: Sequence[int], supports: Sequence[bool]) -> bool:
    return bool(cited) and all(1 <= one <= len(supports) for one in cited)


def _supported(cited: Sequence[int] | set[int], supports: Sequence[bool]) -> bool:
    return any(supports[one - 1] for one in cited)


def _score(measure: Any, detector: str, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
    """Shared by both measures: which samples count, and what counts as 0 before a detector is asked."""
    if not sample.tags.get("cite") or sample.reference is None:
        return Value(None)
    supports = (verdicts.get(detector) or {}).get("supports")
    if supports is None:  # a detector that judges no support says nothing of those that cite badly either
        return Value(None, {"reason": "no verdict"})
    cited = prediction.citations
    if prediction.error is not None or not cited or not all(1 <= one <= len(prediction.shown) for one in cited):
        return Value(0.0, {"cited": list(cited), "shown": len(prediction.shown)})
    return Value(measure(cited, supports))


@dataclass(frozen=True)
class CitationRecall:
    """Share of answers that their cited passages support. For samples tagged ``cite`` that have an answer."""

    detector: str = DECLARED
    name: str = "citation_recall"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        return _score(citation_recall, self.detector, sample, prediction, verdicts)


@dataclass(frozen=True)
class CitationPrecision:
    """Mean share of an answer's citations that are needed or good. For the same samples as the recall."""

    detector: str = DECLARED
    name: str = "citation_precision"
    unit: str = "mean"
    bounds: ClassVar = UNIT_RANGE
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        return _score(citation_precision, self.detector, sample, prediction, verdicts)
