"""How well a score tells labelled cases apart, and how well a threshold on it does that no reported row has chosen."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from bench.stats.intervals import Interval, percent
from bench.stats.resampling import (
    CELLS_PER_BLOCK,
    Fold,
    Stratum,
    cluster_ids,
    cluster_totals,
    draws,
    expanded_percentile,
    resample,
)


@dataclass(frozen=True)
class Detection:
    """Precision, recall and F1 of flags, and the area under the ROC curve of the scores behind them."""

    n: int
    positives: int
    precision: Interval
    recall: Interval
    f1: Interval
    auroc: Interval


def auroc(scores: Sequence[float] | np.ndarray, labels: Sequence[bool] | np.ndarray) -> float:
    """Chance that a positive case has a higher score than a negative one, ties counting half (Mann-Whitney).

    NaN where all labels are the same.
    """
    positive = np.asarray(labels, dtype=bool)
    ranks = rankdata(np.asarray(scores, dtype=float))
    yes, no = int(positive.sum()), int((~positive).sum())
    if not yes or not no:
        return float("nan")
    return float((ranks[positive].sum() - yes * (yes + 1) / 2) / (yes * no))


def best_threshold(scores: np.ndarray, labels: np.ndarray) -> float:
    """The lowest score from which on flagging gives the highest F1."""
    values, first = np.unique(np.sort(scores), return_index=True)
    rising = labels[np.argsort(scores)]
    # Of the sorted rows, all from the first of a value on are flagged.
    right = rising.sum() - np.concatenate([[0], np.cumsum(rising)])[first]
    flagged = len(scores) - first
    return float(values[np.argmax(2 * right / (flagged + rising.sum()))])


def cross_validated(
    scores: Sequence[float] | np.ndarray,
    labels: Sequence[bool] | np.ndarray,
    groups: Sequence[Hashable] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Flags, and the threshold behind each, shape (n,): chosen for the highest F1 on the other folds' rows.

    A group (source document) is in one fold, whole. Raises ``ValueError`` for fewer groups than two.
    """
    score, label = np.asarray(scores, dtype=float), np.asarray(labels, dtype=bool)
    ids = np.arange(len(score)) if groups is None else cluster_ids(groups)
    count = int(ids.max()) + 1 if len(ids) else 0
    if count < 2:
        raise ValueError("cross_validated: a threshold needs two groups (sources) or more")
    fold_of = np.arange(count) % min(folds, count)
    np.random.default_rng(seed).shuffle(fold_of)
    fold = fold_of[ids]
    thresholds = np.empty(len(score))
    for one in np.unique(fold):
        rest = fold != one
        thresholds[fold == one] = best_threshold(score[rest], label[rest])
    return score >= thresholds, thresholds


def detection(
    scores: Sequence[float] | np.ndarray,
    flags: Sequence[bool] | np.ndarray,
    labels: Sequence[bool] | np.ndarray,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
    repeats: int = 2000,
    seed: int = 0,
) -> Detection:
    """The four figures with intervals by a bootstrap over groups."""
    score, flag, label = np.asarray(scores, float), np.asarray(flags, bool), np.asarray(labels, bool)
    ids = np.arange(len(score)) if groups is None else cluster_ids(groups)
    cells = np.stack([label & flag, ~label & flag, label & ~flag], axis=1).astype(float)
    totals = cluster_totals(cells, ids)
    drawn = resample(totals, repeats, seed)

    def interval(estimate: float, statistics: np.ndarray) -> Interval:
        kept = statistics[np.isfinite(statistics)]
        ends = expanded_percentile([Stratum(kept, len(totals))], level) if len(kept) else None
        if ends is None:
            return Interval(estimate, None, None, "no interval: one group")
        return Interval(estimate, *ends, f"bootstrap, expanded percentile, {percent(level)}, {repeats} resamples")

    def of(fold: Fold) -> Interval:
        return interval(float(fold(totals.sum(axis=0))), fold(drawn))

    return Detection(
        n=len(score),
        positives=int(label.sum()),
        precision=of(_precision),
        recall=of(_recall),
        f1=of(_f1),
        auroc=interval(auroc(score, label), _resampled_auroc(score, label, ids, repeats, seed)),
    )


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return above / below


def _precision(cells: np.ndarray) -> np.ndarray:
    return _ratio(cells[..., 0], cells[..., 0] + cells[..., 1])


def _recall(cells: np.ndarray) -> np.ndarray:
    return _ratio(cells[..., 0], cells[..., 0] + cells[..., 2])


def _f1(cells: np.ndarray) -> np.ndarray:
    return _ratio(2 * cells[..., 0], 2 * cells[..., 0] + cells[..., 1] + cells[..., 2])


def _resampled_auroc(score: np.ndarray, label: np.ndarray, ids: np.ndarray, repeats: int, seed: int) -> np.ndarray:
    """Areas of resamples, shape (repeats,): rows are sorted once, and each resample gives them weights.

    O(rows) time per resample; no more than a block of resamples is in memory.
    """
    order = np.argsort(score, kind="stable")
    _, first = np.unique(score[order], return_index=True)
    positive = label[order]
    areas = []
    for block in draws(int(ids.max()) + 1, repeats, seed):
        for part in np.array_split(block, -(-len(block) * len(score) // CELLS_PER_BLOCK)):
            weights = part[:, ids[order]].astype(float)
            yes = np.add.reduceat(weights * positive, first, axis=1)
            no = np.add.reduceat(weights * ~positive, first, axis=1)
            below = np.cumsum(no, axis=1) - no / 2
            areas.append(_ratio((yes * below).sum(axis=1), yes.sum(axis=1) * no.sum(axis=1)))
    return np.concatenate(areas)
