"""Cost measures of a system from what was measured: its rate under load, or its tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.costs.accepted import cost_per_accepted
from bench.costs.machine import Machine
from bench.costs.per_call import from_rate, from_tokens
from bench.costs.price import Price
from bench.costs.settings import UTILISATIONS
from bench.records import Estimate

UNKNOWN = "what the machine can do was not measured: give the load a service level (load.level) or users (load.users)"
Measured = Mapping[str, Estimate | Sequence[Estimate]]


def cost_estimates(price: Price, machine: Machine, measures: Measured) -> dict[str, list[Estimate]]:
    """``cost_per_call`` (marginal: no fixed cost) and ``cost_per_accepted_answer``, each at every utilisation.

    ``machine``: what the engine ran on. Empty where nothing was measured that a cost could be taken from.
    """
    calls = call_costs(price, machine, measures)
    accepted = modes(measures, "accepted")
    if not calls:
        return {}
    found = {"cost_per_call": calls}
    if accepted:
        found["cost_per_accepted_answer"] = [cost_per_accepted(call, accepted[0]) for call in calls]
    return found


def call_costs(
    price: Price, machine: Machine, measures: Measured, utilisations: Sequence[float] = UTILISATIONS
) -> list[Estimate]:
    """Marginal cost per call in every mode it was measured in, the one to quote first.

    A price by tokens takes the mean tokens of an answer. A machine's takes the goodput; where no load looked for one,
    the highest throughput of a closed loop, which is at most what the machine can do: the mode says which it was.
    An open loop's throughput is the rate that was asked, and says nothing of the machine.
    """
    if price.kind == "none":
        return []
    if price.kind == "api":
        inward, outward = modes(measures, "tokens_in"), modes(measures, "tokens_out")
        return [from_tokens(price, inward[0], outward[0])] if inward and outward else []
    what, rates = _sustained(measures)
    if not rates:
        return [_refused(price, rate, UNKNOWN) for rate in modes(measures, "throughput")[:1]]
    if refusal := machine.refusal(price, "the engine"):
        return [_refused(price, rate, refusal) for rate in rates[:1]]
    count = machine.count(price)
    rented = price.name if count == 1 else f"{count:g} × {price.name}"
    if machine.assumed(price):
        rented += " (one device is assumed, since the server hides its machine: say price.devices)"
    return [
        from_rate(price, count, rate, used, mode=f"{rented} {100 * used:g} % used; {what}: {rate.mode}")
        for rate in rates
        for used in utilisations
    ]


def _sustained(measures: Measured) -> tuple[str, list[Estimate]]:
    """What a rate is of, and the rate in every mode."""
    if goodput := modes(measures, "goodput"):
        return "goodput", goodput
    reached = [rate for rate in modes(measures, "throughput") if rate.mode and rate.mode.startswith("closed loop")]
    return "throughput", sorted(reached, key=lambda rate: -(rate.estimate or 0.0))[:1]


def modes(measures: Measured, name: str) -> list[Estimate]:
    """A measure's estimates, one or several; none where it was not taken."""
    found = measures.get(name)
    return [] if found is None else [found] if isinstance(found, Estimate) else list(found)


def _refused(price: Price, rate: Estimate, reason: str) -> Estimate:
    unit = f"{price.currency} per call"
    return Estimate(estimate=None, low=None, high=None, n=rate.n, unit=unit, reason=reason, mode=rate.mode)
