"""The figures that are published of a detector are the ones it has today."""

from __future__ import annotations

import pytest

from bench.detectors.quality import known, quality_words
from tests.detectors.held_out import labelled, measured


def test_the_check_is_measured_on_answers_it_need_not_get_right() -> None:
    quality, misjudged = measured(labelled())
    assert (quality.n, quality.positives) == (342, 177)
    assert len(misjudged) == 31
    assert len({one.sample.tags["value_kind"] for one in labelled()}) == 12
    for name in ("precision", "recall", "f1", "auroc"):
        one = getattr(quality, name)
        assert [one.estimate, one.low, one.high] == pytest.approx(known()["closed_world"][name], abs=5e-4)


def test_every_detector_has_a_sentence() -> None:
    assert quality_words("closed_world", 9).startswith(
        "closed_world itself: precision 87 % (83–91), recall 97 % (94–99)"
    )
    assert "was not measured here" in quality_words("judge", 9)
    assert "nothing is said" in quality_words("none", 0)
    assert quality_words("closed_world", 0).startswith("None of the answers is of a kind that closed_world judges")
