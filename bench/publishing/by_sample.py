"""Our own numbers: the same samples under the same seeds, published and now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bench.contrasts import contrast
from bench.pool import Pool
from bench.publishing.claim import Claim
from bench.publishing.verdicts import NOT_MEASURED, OURS, Verdict, missing, word_of
from bench.sensitivity import equivalence
from bench.tables import Tables

PREFIX = "published/"
"""Before a system's name: its published answers."""
RESAMPLES = 100
"""The tests go by the spread of clusters; resamples only stand for measures that are no means, which are not here."""


def paired(claim: Claim, published: Pool, found: Pool, systems: Sequence[str]) -> Iterator[Verdict]:
    """A verdict for each system and measure of quality; none where a measure does not apply to one system of several.

    ``published``: its systems are named with ``PREFIX``.
    """
    predictions, scores = found.predictions + published.predictions, found.scores + published.scores
    metrics = {metric.name: metric for metric in (*published.metrics, *found.metrics)}
    tables = Tables.of(found.samples, predictions, scores, list(metrics.values()))
    measured = {
        measure: [one for one in systems if tables.aligned(measure, tables.tasks, [f"{PREFIX}{one}"])]
        for measure in claim.quality
    }
    for system in systems:
        pair = (system, f"{PREFIX}{system}")
        for measure in claim.quality:
            margin = claim.margins[measure]
            if not measured[measure]:
                yield missing(system, measure, OURS, margin, NOT_MEASURED)
                continue
            if system not in measured[measure]:
                continue
            aligned = tables.aligned(measure, tables.tasks, pair)
            if not aligned:
                yield missing(system, measure, OURS, margin, "the run has no such answers")
                continue
            difference = contrast(aligned, (1.0, -1.0), 0.95, RESAMPLES, 0)
            means = [float(np.mean([table.fold(table.columns[at].sum(axis=0)) for table in aligned])) for at in (0, 1)]
            same = equivalence(difference, margin)
            word, reason = word_of(same)
            yield Verdict(
                system=system,
                measure=measure,
                against=OURS,
                published=means[1],
                found=means[0],
                difference=same.difference,
                low=same.low,
                high=same.high,
                margin=margin,
                n=difference.n,
                word=word,
                reason=reason,
                alike=int(sum(np.sum(np.abs(table.differences()) < 1e-9) for table in aligned)),
            )
