"""AUROC and F1 by hand and against scikit-learn; a threshold never sees the rows it is used on."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from bench.stats.detection import _resampled_auroc, auroc, best_threshold, cross_validated, detection
from bench.stats.resampling import resample


def test_by_hand() -> None:
    # Positive scores 3 and 1, negative 2 and 1: of four pairs two are won, one is tied, one lost.
    assert auroc([3, 1, 2, 1], [True, True, False, False]) == pytest.approx(2.5 / 4)
    assert np.isnan(auroc([1, 2], [True, True]))
    # Flagging from 2 on: one right of two flagged, two positives: F1 2 / 4; from 1 on 4 / 6; from 3 on 2 / 3.
    assert best_threshold(np.array([3, 1, 2, 1]), np.array([True, True, False, False])) == 1
    assert best_threshold(np.array([0, 5, 6, 1]), np.array([False, True, True, False])) == 5


def test_as_scikit_learn_has_it() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    labels = rng.random(300) < 0.3
    scores = np.round(rng.normal(labels * 1.0), 1)
    found = detection(scores, scores >= 0.5, labels)
    assert found.auroc.estimate == pytest.approx(metrics.roc_auc_score(labels, scores))
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(labels, scores >= 0.5, average="binary")
    assert (found.precision.estimate, found.recall.estimate, found.f1.estimate) == pytest.approx(
        (precision, recall, f1)
    )
    for one in (found.auroc, found.f1):
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.estimate < one.high < one.low + 0.25


def test_resampled_areas_are_areas_of_the_resampled_rows() -> None:
    rng = np.random.default_rng(5)
    ids = np.repeat(np.arange(12), 3)
    labels, scores = rng.random(36) < 0.5, rng.integers(0, 6, 36).astype(float)
    weights = resample(np.eye(12), 20, 0)[:, ids].astype(int)
    by_hand = [auroc(np.repeat(scores, row), np.repeat(labels, row)) for row in weights]
    assert _resampled_auroc(scores, labels, ids, 20, 0) == pytest.approx(by_hand)


def test_continuous_scores_take_no_square_of_memory() -> None:
    """6,000 different scores: a table of rows by scores, or of rows by rows, would be 288 MB of numbers."""
    rng = np.random.default_rng(2)
    labels = rng.random(6000) < 0.3
    scores = rng.normal(labels * 1.0)
    tracemalloc.start()
    areas = _resampled_auroc(scores, labels, np.arange(6000), 200, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150e6
    assert areas.mean() == pytest.approx(auroc(scores, labels), abs=0.005)


def test_the_threshold_is_that_of_trying_each() -> None:
    rng = np.random.default_rng(4)
    labels = rng.random(200) < 0.4
    scores = np.round(rng.normal(labels * 1.0), 1)
    values = np.unique(scores)
    f1 = [2 * np.sum(labels & (scores >= one)) / (np.sum(scores >= one) + labels.sum()) for one in values]
    assert best_threshold(scores, labels) == values[np.argmax(f1)]


def test_a_threshold_is_chosen_without_the_rows_it_judges() -> None:
    """Moving one group's scores may change the thresholds of the others, and never its own."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(20), 4)
    labels = rng.random(80) < 0.4
    scores = rng.normal(labels * 1.5)
    _, before = cross_validated(scores, labels, groups)
    moved = np.where(groups == 7, scores + 100, scores)
    _, after = cross_validated(moved, labels, groups)
    assert np.array_equal(before[groups == 7], after[groups == 7])
    assert len(set(before[groups == 7])) == 1


def test_one_source_chooses_nothing() -> None:
    with pytest.raises(ValueError, match="two groups"):
        cross_validated([1, 2], [True, False], ["a", "a"])
