"""What a call costs, from the rate a machine sustains or from its tokens.

    c = Σ price/h × devices / (3600 · G · u)  +  separately priced parts  +  F / V

G goodput in requests per second, u utilisation, F the fixed cost of the period, V its calls. The default figure is
marginal (no F). Parts that run on the engine's own devices are in G already.
"""

from __future__ import annotations

from dataclasses import replace

from bench.costs.price import Price
from bench.records import Estimate
from systems.base import UserError


def cost_per_call(price: Price, devices: float, goodput: float, utilisation: float = 1.0) -> float:
    """Marginal cost of a call on rented machines, in the price's currency.

    ``goodput``: requests per second within the service level. ``utilisation``: share of the time the machines are busy
    with them, 0 … 1.
    """
    if price.kind != "machine" or price.per_hour is None:
        raise UserError(f"price.name={price.name}: cost from goodput needs a price of kind machine, not {price.kind}")
    if not devices > 0:
        raise UserError(f"devices={devices}: must be above 0")
    check_utilisation(utilisation)
    if not goodput > 0:
        raise UserError(f"goodput={goodput}: must be above 0; at no rate were the limits met, so no call has a price")
    return price.per_hour * devices / (3600 * goodput * utilisation)


def check_utilisation(value: float) -> None:
    """Raises ``UserError`` unless it is a share of the time."""
    if not 0 < value <= 1:
        raise UserError(f"utilisation={value}: must be above 0 and at most 1")


def api_cost_per_call(price: Price, tokens_in: float, tokens_out: float) -> float:
    """Cost of a call to a priced API: mean tokens × price."""
    if price.kind != "api" or price.per_million_in is None or price.per_million_out is None:
        raise UserError(f"price.name={price.name}: cost from tokens needs a price of kind api, not {price.kind}")
    return (tokens_in * price.per_million_in + tokens_out * price.per_million_out) / 1e6


def from_rate(
    price: Price, devices: float, goodput: Estimate, utilisation: float = 1.0, mode: str | None = None
) -> Estimate:
    """``cost_per_call`` with the interval that goodput's interval implies (the cost falls as goodput rises)."""
    unit = f"{price.currency} per call"
    if goodput.estimate is None or goodput.estimate <= 0:
        reason = goodput.reason or "the limits were met at no rate"
        return Estimate(estimate=None, low=None, high=None, n=goodput.n, unit=unit, reason=reason, mode=mode)

    def at(rate: float | None) -> float | None:
        return cost_per_call(price, devices, rate, utilisation) if rate is not None and rate > 0 else None

    return Estimate(
        estimate=at(goodput.estimate),
        low=at(goodput.high),
        high=at(goodput.low),
        n=goodput.n,
        unit=unit,
        mode=mode,
        method=goodput.method,
    )


def from_tokens(price: Price, tokens_in: Estimate, tokens_out: Estimate) -> Estimate:
    """``api_cost_per_call`` with the ends of both counts taken together."""

    def at(inward: float | None, outward: float | None) -> float | None:
        return None if inward is None or outward is None else api_cost_per_call(price, inward, outward)

    return Estimate(
        estimate=at(tokens_in.estimate, tokens_out.estimate),
        low=at(tokens_in.low, tokens_out.low),
        high=at(tokens_in.high, tokens_out.high),
        n=tokens_in.n,
        unit=f"{price.currency} per call",
        reason="no answer came, so no token was counted" if tokens_in.estimate is None else None,
        mode=f"tokens at {price.name} prices",
    )


def plus(cost: Estimate, amount: float) -> Estimate:
    """The cost and a known amount more: separately priced parts, or the share of what is fixed."""

    def moved(end: float | None) -> float | None:
        return None if end is None else end + amount

    return replace(cost, estimate=moved(cost.estimate), low=moved(cost.low), high=moved(cost.high))
