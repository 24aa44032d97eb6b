"""The volume at which two systems cost the same, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bench.records import Estimate
from systems.base import UserError


@dataclass(frozen=True)
class BreakEven:
    """Where two systems cost the same over a period."""

    verdict: Literal["break_even", "dominated", "same"]
    volume: float | None
    """Calls in the period; ``None`` unless the verdict is ``break_even``."""
    cheaper: Literal["a", "b"] | None
    """``dominated``: the one cheaper at any volume. ``break_even``: the one cheaper above the volume."""
    low: float | None = None
    high: float | None = None
    """Ends of the interval. ``break_even``: a missing high end means that no volume may be enough. ``dominated``: from
    ``low`` on the intervals of the costs leave it open that the other one is the cheaper; ``None``: they do not."""
    no_interval: str | None = None
    """Why nothing is known but the point; ``None`` where there is an interval."""


def break_even_volume(
    fixed_a: float,
    fixed_b: float,
    per_call_a: float | Estimate,
    per_call_b: float | Estimate,
) -> BreakEven:
    """V* = (F_a − F_b)/(c_b − c_a), or ``dominated`` where one is at least as cheap in both parts.

    With estimates for the costs per call the interval is that of c_b − c_a by MOVER (Zou and Donner 2008), carried
    through V*; fixed costs count as known. Where a cost is a point alone, so is the volume.
    """
    a, b = _point(per_call_a), _point(per_call_b)
    fixed, call = fixed_a - fixed_b, b - a
    if fixed == 0 and call == 0:
        return BreakEven("same", None, None)
    points = [one for one in (per_call_a, per_call_b) if isinstance(one, Estimate) and one.low is one.high is None]
    told = "; ".join(dict.fromkeys(one.method or "no interval" for one in points)) or None
    ends = None if points else _difference(per_call_a, per_call_b)
    if fixed * call <= 0:
        # a has the lower (or equal) fixed cost and is no dearer per call, or the other way round.
        cheapest: Literal["a", "b"] = "a" if fixed < 0 or call > 0 else "b"
        # By how much the other one may be the cheaper per call.
        most = max(-end if cheapest == "a" else end for end in ends) if ends else 0.0
        return BreakEven("dominated", None, cheapest, low=abs(fixed) / most if most > 0 else None, no_interval=told)
    cheaper: Literal["a", "b"] = "a" if call > 0 else "b"
    if ends is None:
        return BreakEven("break_even", fixed / call, cheaper, no_interval=told)
    # Far ends of c_b − c_a on the side of its sign; at or across 0 no volume is certain to be enough.
    near, far = sorted((abs(end) if end * call > 0 else 0.0) for end in ends)
    return BreakEven(
        "break_even", fixed / call, cheaper, abs(fixed) / far if far else None, abs(fixed) / near if near else None
    )


def _point(cost: float | Estimate) -> float:
    if not isinstance(cost, Estimate):
        return float(cost)
    if cost.estimate is None:
        raise UserError(f"no break-even volume: a cost per call is not known ({cost.reason or 'no reason given'})")
    return cost.estimate


def _difference(a: float | Estimate, b: float | Estimate) -> tuple[float, float] | None:
    """Interval of b − a by MOVER; ``None`` where both are known exactly."""
    if not isinstance(a, Estimate) and not isinstance(b, Estimate):
        return None
    (low_a, at_a, high_a), (low_b, at_b, high_b) = _ends(a), _ends(b)
    middle = at_b - at_a
    return (
        middle - math.hypot(at_b - low_b, high_a - at_a),
        middle + math.hypot(high_b - at_b, at_a - low_a),
    )


def _ends(cost: float | Estimate) -> tuple[float, float, float]:
    point = _point(cost)
    if not isinstance(cost, Estimate):
        return point, point, point
    # A rate without an upper end: nothing bounds the cost from below.
    return 0.0 if cost.low is None else cost.low, point, math.inf if cost.high is None else cost.high
