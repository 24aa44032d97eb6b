"""What an accepted answer costs, and what malformed ones add."""

from __future__ import annotations

import math

from bench.records import Estimate
from systems.base import UserError


def cost_per_accepted(cost: Estimate, accepted: Estimate) -> Estimate:
    """Cost of a call over the share of accepted answers, with an interval from both.

    The interval is MOVER's on the logarithmic scale (Zou and Donner 2008): with independent parts, the distances of the
    logarithm's ends add as squares. Where a part has no interval there is none. An end that a part does not have is
    none here either; where the share may be 0 the cost has no upper end.
    """
    unit = cost.unit.replace("per call", "per accepted answer")

    def missing(reason: str) -> Estimate:
        return Estimate(estimate=None, low=None, high=None, n=accepted.n, unit=unit, reason=reason, mode=cost.mode)

    if cost.estimate is None:
        return missing(cost.reason or "no cost per call")
    if accepted.estimate is None:
        return missing(accepted.reason or "no share of accepted answers")
    if accepted.estimate <= 0:
        return missing("no answer was accepted")
    value = cost.estimate / accepted.estimate
    for part in (cost, accepted):
        if part.low is None and part.high is None:
            return Estimate(
                estimate=value, low=None, high=None, n=accepted.n, unit=unit, mode=cost.mode, method=part.method
            )
    down = math.hypot(_ratio(cost.estimate, cost.low), _ratio(accepted.high, accepted.estimate))
    up = math.hypot(_ratio(cost.high, cost.estimate), _ratio(accepted.estimate, accepted.low))
    return Estimate(
        estimate=value,
        low=None if math.isinf(down) else value * math.exp(-down),
        high=None if math.isinf(up) else value * math.exp(up),
        n=accepted.n,
        unit=unit,
        mode=cost.mode,
        method="MOVER on the logarithmic scale",
    )


def _ratio(above: float | None, below: float | None) -> float:
    """log(above / below): infinite where an end is not known or the lower one is 0."""
    if above == below:
        return 0.0
    return math.inf if above is None or below is None or below <= 0 else math.log(above / below)


def retry_cost(cost: float, adherence: float, attempts: int = 3) -> float:
    """What format failures add to a call when malformed answers are asked for again, up to ``attempts`` calls in all.

    Failures are taken as independent, which flatters: at temperature 0 the same prompt fails the same way.
    """
    if not 0 <= adherence <= 1 or attempts < 1:
        raise UserError(f"adherence={adherence}, attempts={attempts}: need a share and at least one attempt")
    return cost * sum((1 - adherence) ** attempt for attempt in range(1, attempts))


def retries(cost: Estimate, adherence: Estimate, attempts: int) -> Estimate:
    """``retry_cost`` per call of a task with a format; its ends are those of both parts taken together."""

    def at(call: float | None, share: float | None) -> float | None:
        return None if call is None or share is None else retry_cost(call, share, attempts)

    value = at(cost.estimate, adherence.estimate)
    return Estimate(
        estimate=value,
        low=at(cost.low, adherence.high),
        high=at(cost.high, adherence.low),
        n=adherence.n,
        unit=cost.unit,
        reason=None if value is not None else cost.reason or adherence.reason or "no format was asked for",
        mode=f"up to {attempts} attempts; {cost.mode}",
        method="ends of the cost and of the adherence taken together",
    )
