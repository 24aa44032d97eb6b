"""Measure by measure: whether a later run gives what was published, within the margin that was published with it.

Three words. *Reproduced*: the interval of two one-sided tests at 5 % lies within the margin. *Not reproduced*: it lies
outside. *Cannot say*: it holds an end of the margin, so the samples are too few; or the machine is another one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.contrasts import contrast
from bench.pool import Pool
from bench.publishing.claim import Claim, Figure, hardware_bound
from bench.sensitivity import equivalence
from bench.stats.equivalence import Equivalence, clustered_error, within_margin
from bench.stats.resampling import cluster_ids
from bench.tables import Tables

REPRODUCED, NOT_REPRODUCED, CANNOT_SAY = "reproduced", "not reproduced", "cannot say"
OURS = "published"
"""Stands for our own numbers where a source is due."""
CODES = {REPRODUCED: 0, NOT_REPRODUCED: 3, CANNOT_SAY: 4}
RESAMPLES = 100
"""The tests go by the spread of clusters; resamples only stand for measures that are no means, which are not here."""
QUANTILE = 1.959963984540054
"""Of the normal distribution, for intervals at 95 %."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One measure of one system."""

    system: str
    measure: str
    against: str
    """``OURS``, or who published it."""
    published: float | None
    found: float | None
    difference: float | None
    """Found less published; of a measure of the machine, the ratio less 1."""
    low: float | None
    high: float | None
    """The interval of the two tests (90 %); ``None`` where nothing was left to chance, or nothing can be said."""
    margin: float
    n: int
    word: str
    reason: str = ""
    alike: int | None = None
    """Of ``n``, those with the published value to the last digit."""


def overall(verdicts: list[Verdict]) -> str:
    """One word for all: the worst of them."""
    words = {one.word for one in verdicts}
    if NOT_REPRODUCED in words:
        return NOT_REPRODUCED
    return CANNOT_SAY if CANNOT_SAY in words or not words else REPRODUCED


def word_of(same: Equivalence) -> tuple[str, str]:
    """The word for two one-sided tests, and its reason."""
    if same.equivalent:
        return REPRODUCED, ""
    if same.low is None or same.high is None:
        return CANNOT_SAY, "too few samples"
    if same.low > same.margin or same.high < -same.margin:
        return NOT_REPRODUCED, "the difference is beyond the margin"
    return CANNOT_SAY, "too few samples for this margin"


def paired(claim: Claim, published: Pool, found: Pool, systems: list[str]) -> Iterator[Verdict]:
    """Our own numbers, sample by sample and seed by seed."""
    now, before = found.renamed("now"), published.renamed("published")
    tables = Tables.of(now.samples, now.predictions + before.predictions, now.scores + before.scores, now.metrics)
    for system in systems:
        pair = (f"now/{system}", f"published/{system}")
        for measure in claim.quality:
            margin = claim.margins[measure]
            aligned = tables.aligned(measure, tables.tasks, pair)
            if not aligned:
                if tables.aligned(measure, tables.tasks, pair[1:]):
                    yield _missing(system, measure, OURS, margin, "the run has no such answers")
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


def against_figures(claim: Claim, found: Pool) -> Iterator[Verdict]:
    """Numbers that others published, of which only a mean is known."""
    tables = Tables.of(found.samples, found.predictions, found.scores, found.metrics)
    for figure in claim.figures:
        aligned = (
            tables.aligned(figure.measure, tables.tasks, [figure.system]) if figure.measure in tables.metrics else []
        )
        if not aligned:
            reason = f"the run has no {figure.measure} of {figure.system}"
            yield _missing(figure.system, figure.measure, figure.source, figure.margin, reason, figure.value)
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
    if figure.n is not None:
        error = math.hypot(error, math.sqrt(figure.value * (1 - figure.value) / figure.n))
    same = within_margin(difference, error, clusters - 1, figure.margin)
    word, reason = word_of(same)
    return Verdict(**told, low=same.low, high=same.high, word=word, reason=reason)


def of_the_machine(
    claim: Claim,
    published: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Mapping[str, Any]],
    same_machine: bool,
) -> Iterator[Verdict]:
    """Latency, throughput and cost: ratios over the seeds, on the same machine alone.

    ``published``, ``found``: seed → system → measure → estimate with its interval.
    """
    seeds = [seed for seed in published if seed in found]
    for system in published[seeds[0]] if seeds else ():
        for measure in (name for name in claim.margins if hardware_bound(name)):
            margin = claim.margins[measure]
            pairs = [(published[seed][system].get(measure), found[seed].get(system, {}).get(measure)) for seed in seeds]
            if all(before is None for before, _ in pairs):
                continue
            if not same_machine:
                yield _missing(
                    system, measure, "published", margin, "was measured on other hardware", _value(pairs[0][0])
                )
                continue
            parts = [_ratio(before, now) for before, now in pairs]
            if None in parts:
                reason = "has no number with an interval, taken in the same mode"
                yield _missing(system, measure, OURS, margin, reason, _value(pairs[0][0]))
                continue
            logs = [part for part in parts if part is not None]
            mean = sum(log for log, _ in logs) / len(logs)
            error = math.sqrt(sum(one**2 for _, one in logs)) / len(logs)
            same = within_margin(mean, error, math.inf, math.log1p(margin))
            word, reason = word_of(same)
            yield Verdict(
                system=system,
                measure=measure,
                against=OURS,
                published=_value(pairs[0][0]),
                found=_value(pairs[0][1]),
                difference=math.expm1(mean),
                low=None if same.low is None else math.expm1(same.low),
                high=None if same.high is None else math.expm1(same.high),
                margin=margin,
                n=sum(int(now["n"]) for _, now in pairs),
                word=word,
                reason=reason,
            )


def _ratio(before: Any, now: Any) -> tuple[float, float] | None:
    """Logarithm of now over before, and its standard error by both intervals (95 %); both in one mode."""
    if not before or not now or before.get("mode") != now.get("mode"):
        return None
    ends = [one[key] for one in (before, now) for key in ("estimate", "low", "high")]
    if any(end is None or end <= 0 for end in ends):
        return None
    errors = [math.log(one["high"] / one["low"]) / (2 * QUANTILE) for one in (before, now)]
    return math.log(now["estimate"] / before["estimate"]), math.hypot(*errors)


def _value(estimate: Any) -> float | None:
    return None if not estimate else estimate["estimate"]


def _missing(
    system: str, measure: str, against: str, margin: float, reason: str, published: float | None = None
) -> Verdict:
    return Verdict(
        system=system,
        measure=measure,
        against=against,
        published=published,
        found=None,
        difference=None,
        low=None,
        high=None,
        margin=margin,
        n=0,
        word=CANNOT_SAY,
        reason=reason,
    )
