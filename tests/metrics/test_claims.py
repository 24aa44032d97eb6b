"""Claim metrics against RAGChecker's own figures, and by hand."""

from __future__ import annotations

import pytest

from bench.metrics.claims import MEASURES, Claims, Entailments
from tests.metrics.making import prediction, sample

FOUND = Entailments(
    right=(True, True, False, False, False),
    covered=(True, False, True),
    # Passage 1 is relevant, passage 2 is not, passage 3 is relevant.
    chunks_to_answer=(
        (True, False, False),
        (False, False, False),
        (True, True, False),
        (False, True, False),
        (False, False, False),
    ),
    chunks_to_reference=((True, False, False), (True, False, True), (False, False, False)),
)
EXPECTED = {
    "precision": 2 / 5,
    "recall": 2 / 3,
    "f1": 2 * (2 / 5) * (2 / 3) / (2 / 5 + 2 / 3),
    "claim_recall": 2 / 3,
    "context_precision": 2 / 3,
    "context_utilisation": 1 / 2,
    "faithfulness": 3 / 5,
    "noise_sensitivity_in_relevant": 1 / 5,
    "noise_sensitivity_in_irrelevant": 1 / 5,
    "hallucination": 1 / 5,
    "self_knowledge": 1 / 5,
}
THEIRS = {"context_utilisation": "context_utilization"}


@pytest.mark.parametrize("measure", MEASURES)
def test_by_hand(measure: str) -> None:
    assert MEASURES[measure](FOUND) == pytest.approx(EXPECTED[measure])


def test_no_claims() -> None:
    nothing = Entailments((), (), (), ())
    assert {measure(nothing) for measure in MEASURES.values()} == {None}


def test_a_metric_reads_the_stored_verdict() -> None:
    verdict = {
        "right": [True, False],
        "covered": [True],
        "chunks_to_answer": [[True], [False]],
        "chunks_to_reference": [[True]],
    }
    metric = Claims("hallucination")
    assert (metric.name, metric.higher_is_better) == ("claims_hallucination", False)
    assert metric.score(sample(), prediction(), {"claims": verdict}).value == 0.5
    assert metric.score(sample(), prediction(), {}).value is None
