"""Latency, throughput and cost: ratios, on the same machine alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from bench.publishing.claim import QUANTILE, Claim, hardware_bound
from bench.publishing.verdicts import NOT_MEASURED, OURS, Verdict, missing, word_of
from bench.stats.equivalence import within_margin


def of_the_machine(
    claim: Claim,
    published: Mapping[str, Mapping[str, Any]],
    found: Mapping[str, Mapping[str, Any]],
    same_machine: bool,
) -> Iterator[Verdict]:
    """The mean ratio over the seeds (of logarithms), for each system and measure of the machine.

    ``published``, ``found``: seed → system → measure → estimate with its interval.
    """
    seeds = [seed for seed in published if seed in found]
    for system in published[seeds[0]] if seeds else ():
        for measure in (name for name in claim.margins if hardware_bound(name)):
            margin = claim.margins[measure]
            pairs = [(published[seed][system].get(measure), found[seed].get(system, {}).get(measure)) for seed in seeds]
            if all(before is None for before, _ in pairs):
                yield missing(system, measure, OURS, margin, NOT_MEASURED)
                continue
            if not same_machine:
                yield missing(system, measure, OURS, margin, "was measured on other hardware", _value(pairs[0][0]))
                continue
            parts = [_ratio(before, now) for before, now in pairs]
            if None in parts:
                reason = "has no number with an interval, taken in the same mode"
                yield missing(system, measure, OURS, margin, reason, _value(pairs[0][0]))
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
