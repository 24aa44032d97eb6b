"""Numbers that others published, of which only a mean is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.pool import Pool
from bench.publishing.claim import Claim, Figure
from bench.publishing.verdicts import CANNOT_SAY, NOT_REPRODUCED, REPRODUCED, Verdict, missing, word_of
from bench.stats.equivalence import clustered_error, within_margin
from bench.stats.resampling import cluster_ids
from bench.tables import Tables


def against_figures(claim: Claim, found: Pool) -> Iterator[Verdict]:
    """A verdict for each figure of a claim.

    Samples of ours and of theirs are drawn each on their own, so that the errors of both count; a figure of these very
    samples that nothing was left to chance in has none, and its difference is held to the margin as it is.
    """
    if not claim.figures:
        return
    tables = Tables.of(found.samples, found.predictions, found.scores, found.metrics)
    for figure in claim.figures:
        aligned = (
            tables.aligned(figure.measure, tables.tasks, [figure.system]) if figure.measure in tables.metrics else []
        )
        if not aligned:
            reason = f"the run has no {figure.measure} of {figure.system}"
            yield missing(figure.system, figure.measure, figure.source, figure.margin, reason, figure.value)
            continue
        rows = sum(table.n for table in aligned)
        # Scaled so, the mean over all rows is the mean over the tasks.
        values = np.concatenate([table.columns[0][:, 0] * rows / table.weight / len(aligned) for table in aligned])
        ids = cluster_ids([name for table in aligned for name in table.clusters])
        yield _figure(figure, values, ids)


def _figure(figure: Figure, values: np.ndarray, ids: np.ndarray) -> Verdict:
    error, clusters = clustered_error(values, ids)
    mean = float(values.mean())
    difference = mean - figure.value
    told: dict[str, Any] = {
        "system": figure.system,
        "measure": figure.measure,
        "against": figure.source,
        "published": figure.value,
        "found": mean,
        "difference": difference,
        "margin": figure.margin,
        "n": len(values),
    }
    if figure.same_samples:
        if len(set(ids.tolist())) != figure.n and len(values) != figure.n:
            reason = f"it is of {figure.n} samples, and these are {len(values)}"
            return Verdict(**told, low=None, high=None, word=CANNOT_SAY, reason=reason)
        near = abs(difference) <= figure.margin
        word, reason = (REPRODUCED, "") if near else (NOT_REPRODUCED, "the difference is beyond the margin")
        return Verdict(**told, low=None, high=None, word=word, reason=reason)
    if figure.error is None:
        reason = "of how many samples it is, is not known, and no interval of it"
        return Verdict(**told, low=None, high=None, word=CANNOT_SAY, reason=reason)
    same = within_margin(difference, math.hypot(error, figure.error), clusters - 1, figure.margin)
    word, reason = word_of(same)
    return Verdict(**told, low=same.low, high=same.high, word=word, reason=reason)
