"""What a call costs: dated prices, the cost model, and the volume at which one system becomes the cheaper one.

    c = Σ price/h × devices / (3600 · G · u)  +  separately priced parts  +  F / V

G goodput in requests per second, u utilisation, F the fixed cost of the period, V its calls. The default figure is
marginal (no F). Parts that run on the engine's own devices are in G already.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.records import Estimate
from systems.base import UserError


@dataclass(frozen=True, kw_only=True)
class Price:
    """A dated list price from ``conf/price``; every figure can be overridden."""

    name: str
    kind: Literal["machine", "api", "none"]
    currency: str = "USD"
    device: Literal["cpu", "gpu"] | None = None
    """What one device of a ``machine`` is; ``None``: whatever the engine ran on."""
    per_hour: float | None = None
    """Of one device (``machine``)."""
    per_million_in: float | None = None
    """Of a million prompt tokens (``api``)."""
    per_million_out: float | None = None
    """Of a million answer tokens (``api``)."""
    source: str = ""
    date: str = ""
    """ISO date the price was known at."""

    def __post_init__(self) -> None:
        needed = {"machine": ("per_hour",), "api": ("per_million_in", "per_million_out"), "none": ()}
        if self.device not in ("cpu", "gpu", None):
            raise UserError(f"price.device={self.device!r}: must be cpu, gpu or null")
        if self.kind not in needed:
            raise UserError(f"price.kind={self.kind!r}: must be machine, api or none")
        for key in ("per_hour", "per_million_in", "per_million_out"):
            value = getattr(self, key)
            if key in needed[self.kind] and value is None:
                raise UserError(f"price.{key} is missing: a price of kind {self.kind} needs it")
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise UserError(f"price.{key}={value}: must be 0 or more")
        if self.kind != "none":
            if not self.source:
                raise UserError("price.source is missing: say in words where the price stands")
            try:
                datetime.date.fromisoformat(str(self.date))
            except ValueError:
                raise UserError(f"price.date={self.date!r}: must be an ISO date such as 2025-01-31") from None


def cost_per_call(
    price: Price,
    devices: int,
    goodput: float,
    utilisation: float = 1.0,
    extra: float = 0.0,
    fixed: float = 0.0,
    volume: float | None = None,
) -> float:
    """Cost of a call on rented machines, in the price's currency.

    ``goodput``: requests per second within the service level. ``utilisation``: share of the time the machines are busy
    with them, 0 … 1. ``extra``: separately priced embedding, search and reranking, per call. ``fixed`` is spread over
    ``volume`` calls of the period, and counts only with a volume.
    """
    if price.kind != "machine" or price.per_hour is None:
        raise UserError(f"price.name={price.name}: cost from goodput needs a price of kind machine, not {price.kind}")
    if devices < 1:
        raise UserError(f"devices={devices}: must be 1 or more")
    if not 0 < utilisation <= 1:
        raise UserError(f"utilisation={utilisation}: must be above 0 and at most 1")
    if not goodput > 0:
        raise UserError(f"goodput={goodput}: must be above 0; at no rate were the limits met, so no call has a price")
    return price.per_hour * devices / (3600 * goodput * utilisation) + extra + _share(fixed, volume)


def api_cost_per_call(
    price: Price,
    tokens_in: float,
    tokens_out: float,
    extra: float = 0.0,
    fixed: float = 0.0,
    volume: float | None = None,
) -> float:
    """Cost of a call to a priced API: mean tokens × price."""
    if price.kind != "api" or price.per_million_in is None or price.per_million_out is None:
        raise UserError(f"price.name={price.name}: cost from tokens needs a price of kind api, not {price.kind}")
    tokens = tokens_in * price.per_million_in + tokens_out * price.per_million_out
    return tokens / 1e6 + extra + _share(fixed, volume)


def _share(fixed: float, volume: float | None) -> float:
    if volume is None:
        return 0.0
    if not volume > 0:
        raise UserError(f"volume={volume}: must be above 0 calls")
    return fixed / volume


def cost_estimate(
    price: Price,
    devices: int,
    goodput: Estimate,
    utilisation: float = 1.0,
    extra: float = 0.0,
    mode: str | None = None,
) -> Estimate:
    """``cost_per_call`` with the interval that goodput's interval implies (the cost falls as goodput rises)."""
    unit = f"{price.currency} per call"
    if goodput.estimate is None or goodput.estimate <= 0:
        reason = goodput.reason or "the limits were met at no rate"
        return Estimate(estimate=None, low=None, high=None, n=goodput.n, unit=unit, reason=reason, mode=mode)

    def at(rate: float | None) -> float | None:
        return cost_per_call(price, devices, rate, utilisation, extra) if rate is not None and rate > 0 else None

    return Estimate(
        estimate=at(goodput.estimate),
        low=at(goodput.high),
        high=at(goodput.low),
        n=goodput.n,
        unit=unit,
        mode=mode,
        method=None if goodput.method is None else f"from goodput: {goodput.method}",
    )


def cost_per_accepted(cost: Estimate, accepted: Estimate) -> Estimate:
    """Cost of a call over the share of accepted answers, with an interval from both.

    The interval is MOVER's on the logarithmic scale (Zou and Donner 2008): with independent parts, the distances of the
    logarithm's ends add as squares. A part without an interval counts as known. Where the share may be 0 the cost
    has no upper end.
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
    down = math.hypot(_ratio(cost.estimate, cost.low), _ratio(accepted.high, accepted.estimate))
    up = math.hypot(_ratio(cost.high, cost.estimate), _ratio(accepted.estimate, accepted.low))
    return Estimate(
        estimate=value,
        low=value * math.exp(-down),
        high=None if math.isinf(up) else value * math.exp(up),
        n=accepted.n,
        unit=unit,
        mode=cost.mode,
        method="MOVER on the logarithmic scale",
    )


def _ratio(above: float | None, below: float | None) -> float:
    """log(above / below): 0 where an end is not known, infinite where the lower one is 0."""
    if above is None or below is None or above == below:
        return 0.0
    return math.inf if below <= 0 else math.log(above / below)


def retry_cost(cost: float, adherence: float, attempts: int = 3) -> float:
    """What format failures add to a call when malformed answers are asked for again, up to ``attempts`` calls in all.

    Failures are taken as independent, which flatters: at temperature 0 the same prompt fails the same way.
    """
    if not 0 <= adherence <= 1 or attempts < 1:
        raise UserError(f"adherence={adherence}, attempts={attempts}: need a share and at least one attempt")
    return cost * sum((1 - adherence) ** attempt for attempt in range(1, attempts))


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
    """Ends of the interval; a missing high end means that no volume may be enough."""


def break_even_volume(
    fixed_a: float,
    fixed_b: float,
    per_call_a: float | Estimate,
    per_call_b: float | Estimate,
) -> BreakEven:
    """V* = (F_a − F_b)/(c_b − c_a), or ``dominated`` where one is at least as cheap in both parts.

    With estimates for the costs per call the interval is that of c_b − c_a by MOVER (Zou and Donner 2008), carried
    through V*; fixed costs count as known.
    """
    a, b = _point(per_call_a), _point(per_call_b)
    fixed, call = fixed_a - fixed_b, b - a
    if fixed == 0 and call == 0:
        return BreakEven("same", None, None)
    if fixed * call <= 0:
        # a has the lower (or equal) fixed cost and is no dearer per call, or the other way round.
        return BreakEven("dominated", None, "a" if fixed < 0 or call > 0 else "b")
    cheaper: Literal["a", "b"] = "a" if call > 0 else "b"
    ends = _difference(per_call_a, per_call_b)
    if ends is None:
        return BreakEven("break_even", fixed / call, cheaper)
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
    """Interval of b − a by MOVER; ``None`` where neither has one."""
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
    return point if cost.low is None else cost.low, point, math.inf if cost.high is None else cost.high


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """What a system costs over a period beside its calls: the person's own figures; none is invented here."""

    fixed: float = 0.0
    """Curation, build and operation, whatever the number of updates."""
    per_update: float = 0.0
    """One re-index or re-training."""

    def over(self, updates: float) -> float:
        """Cost of a period with so many updates."""
        return self.fixed + self.per_update * updates


def break_even_surface(
    a: Upkeep, b: Upkeep, per_call_a: float, per_call_b: float, volumes: Sequence[float], updates: Sequence[float]
) -> list[list[float]]:
    """Cost of a less cost of b over the period, one row per number of updates, one column per volume of calls.

    Below 0, a is the cheaper: the zero line is the break-even of re-indexing against re-training.
    """
    return [
        [a.over(rate) - b.over(rate) + volume * (per_call_a - per_call_b) for volume in volumes] for rate in updates
    ]
