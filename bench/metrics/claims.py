"""Claim metrics of RAGChecker (Ru et al. 2024, arXiv 2408.08067): what of an answer's claims is right, and why.

A detector splits the answer and the reference into claims and says which text entails which claim; its verdict is
the record ``Entailments``. Every measure is a mean over claims of one answer, and then over answers. An answer
without the claims a measure is taken over has no value (RAGChecker leaves such answers out likewise).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.metrics.base import UNIT_RANGE, Value
from bench.records import Prediction, Sample


@dataclass(frozen=True)
class Entailments:
    """Who entails what. ``chunks`` hold one row per claim with one column per passage shown."""

    right: tuple[bool, ...]
    """Per claim of the answer: the reference entails it."""
    covered: tuple[bool, ...]
    """Per claim of the reference: the answer entails it."""
    chunks_to_answer: tuple[tuple[bool, ...], ...]
    chunks_to_reference: tuple[tuple[bool, ...], ...]

    @property
    def relevant(self) -> tuple[bool, ...]:
        """Per passage: it entails some claim of the reference."""
        return tuple(any(column) for column in zip(*self.chunks_to_reference, strict=True))

    @property
    def supported(self) -> tuple[bool, ...]:
        """Per claim of the answer: some passage entails it."""
        return tuple(any(row) for row in self.chunks_to_answer)

    def supported_by(self, relevant: bool) -> tuple[bool, ...]:
        """Per claim of the answer: a passage of that relevance entails it."""
        kinds = self.relevant
        return tuple(
            any(said and kind is relevant for said, kind in zip(row, kinds, strict=True))
            for row in self.chunks_to_answer
        )


def _share(of: tuple[bool, ...] | list[bool]) -> float | None:
    return sum(of) / len(of) if of else None


def precision(found: Entailments) -> float | None:
    """Share of the answer's claims that the reference entails."""
    return _share(found.right)


def recall(found: Entailments) -> float | None:
    """Share of the reference's claims that the answer entails."""
    return _share(found.covered)


def f1(found: Entailments) -> float | None:
    """Harmonic mean of precision and recall; 0 where both are."""
    right, covered = precision(found), recall(found)
    if right is None or covered is None:
        return None
    return 2 * right * covered / (right + covered) if right + covered else 0.0


def claim_recall(found: Entailments) -> float | None:
    """Retrieval: share of the reference's claims that some passage entails."""
    return _share([any(row) for row in found.chunks_to_reference])


def context_precision(found: Entailments) -> float | None:
    """Retrieval: share of the passages that entail some claim of the reference."""
    return _share(found.relevant)


def context_utilisation(found: Entailments) -> float | None:
    """Of the reference's claims that the passages hold, the share that the answer has; 0 where they hold none."""
    if not found.covered:
        return None
    held = [any(row) for row in found.chunks_to_reference]
    return _share([said for said, there in zip(found.covered, held, strict=True) if there]) or 0.0


def faithfulness(found: Entailments) -> float | None:
    """Share of the answer's claims that some passage entails."""
    return _share(found.supported)


def noise_sensitivity_in_relevant(found: Entailments) -> float | None:
    """Share of the answer's claims that are wrong and come from a relevant passage."""
    taken = found.supported_by(relevant=True)
    return _share([not right and said for right, said in zip(found.right, taken, strict=True)])


def noise_sensitivity_in_irrelevant(found: Entailments) -> float | None:
    """Share of the answer's claims that are wrong and come from irrelevant passages alone."""
    relevant, irrelevant = found.supported_by(relevant=True), found.supported_by(relevant=False)
    rows = zip(found.right, relevant, irrelevant, strict=True)
    return _share([not right and noise and not said for right, said, noise in rows])


def hallucination(found: Entailments) -> float | None:
    """Share of the answer's claims that are wrong and that no passage entails."""
    return _share([not right and not said for right, said in zip(found.right, found.supported, strict=True)])


def self_knowledge(found: Entailments) -> float | None:
    """Share of the answer's claims that are right although no passage entails them."""
    return _share([right and not said for right, said in zip(found.right, found.supported, strict=True)])


MEASURES: Mapping[str, Callable[[Entailments], float | None]] = {
    measure.__name__: measure
    for measure in (
        *(precision, recall, f1, claim_recall, context_precision, context_utilisation, faithfulness),
        *(noise_sensitivity_in_relevant, noise_sensitivity_in_irrelevant, hallucination, self_knowledge),
    )
}
LOWER_IS_BETTER = ("noise_sensitivity_in_relevant", "noise_sensitivity_in_irrelevant", "hallucination")


@dataclass(frozen=True)
class Claims:
    """One of ``MEASURES``, from the verdict of a detector that checks claims."""

    measure: str
    detector: str = "claims"
    unit: str = "mean"
    bounds: ClassVar = UNIT_RANGE

    @property
    def name(self) -> str:
        return f"claims_{self.measure}"

    @property
    def higher_is_better(self) -> bool:
        return self.measure not in LOWER_IS_BETTER

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        verdict = verdicts.get(self.detector)
        if verdict is None:
            return Value(None, {"reason": "no verdict"})
        found = Entailments(**{name: _tuples(verdict[name]) for name in Entailments.__dataclass_fields__})
        return Value(MEASURES[self.measure](found))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else bool(value)
