"""One system's costs: its calls, its builds, and what keeping it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.costs.accepted import cost_per_accepted, retries
from bench.costs.builds import indexing_cost, needs, training_cost
from bench.costs.estimates import call_costs, modes
from bench.costs.machine import Machine
from bench.costs.per_call import plus
from bench.costs.price import Price
from bench.costs.settings import Settings
from bench.costs.upkeep import Upkeep, upkeep
from bench.records import Estimate


@dataclass(frozen=True, kw_only=True)
class SystemAccount:
    """One system's costs, in the currency of the price."""

    calls: tuple[Estimate, ...]
    """Marginal, in every mode it was measured in, the first to be quoted; with a volume, then with the share of what is
    fixed."""
    accepted: tuple[Estimate, ...]
    """The same per accepted answer."""
    secondary: bool
    """Whether what is accepted rests on a detector that people do not agree with."""
    retries: Estimate
    """What asking again for malformed answers adds to a call."""
    builds: Mapping[str, Estimate]
    """One ``indexing`` and one ``training``: what the system needs of them."""
    upkeep: Upkeep | str
    """Or why it is not known."""

    def to_json(self, currency: str, updates: float) -> dict[str, Any]:
        """An entry of ``cost.json``; ``updates``: of a month."""
        found: dict[str, Any] = {
            "needs": list(self.builds),
            "cost_per_call": [one.to_json() for one in self.calls],
            "cost_per_accepted_answer": [
                one.to_json() | ({"secondary": True} if self.secondary else {}) for one in self.accepted
            ],
            "retries_per_call": self.retries.to_json(),
            **{name: one.to_json() for name, one in self.builds.items()},
        }
        kept = self.upkeep
        for name, unit, amount in (
            ("refresh_per_update", "update", None if isinstance(kept, str) else kept.per_update),
            ("fixed_per_month", "month", None if isinstance(kept, str) else kept.over(updates)),
        ):
            reason = kept if isinstance(kept, str) else None
            found[name] = known(amount, f"{currency} per {unit}", reason).to_json()
        return found


def system_account(
    name: str, measures: Mapping[str, Any], manifest: Mapping[str, Any], price: Price, machine: Machine, own: Settings
) -> SystemAccount:
    """By a system's ``measures`` of the summary and the run's manifest; ``machine``: what the engine ran on."""
    measured = {key: _estimates(value) for key, value in measures.items()}
    calls = [plus(call, own.own("parts", name)) for call in call_costs(price, machine, measured, own.utilisations)]
    calls = calls or [known(None, f"{price.currency} per call", _unmeasured(price))]
    builds = _builds(name, manifest, price, own)
    kept = upkeep(builds, name, own)
    if own.volume and isinstance(kept, Upkeep):
        share = kept.over(own.updates_per_month or 0.0) / own.volume
        over = f"with fixed costs over {own.volume:,.0f} calls a month"
        calls += [plus(dataclasses.replace(call, mode=f"{over}; {call.mode}"), share) for call in calls]
    nothing = known(None, "share", "no measure says which answers are accepted")
    accepted = (modes(measured, "accepted") or [nothing])[0]
    unformed = known(None, "share", "no answer had to keep to a format")
    return SystemAccount(
        calls=tuple(calls),
        accepted=tuple(cost_per_accepted(call, accepted) for call in calls),
        secondary=bool(_first(measures.get("accepted")).get("secondary")),
        retries=retries(calls[0], (modes(measured, "format_adherence") or [unformed])[0], own.attempts),
        builds=builds,
        upkeep=kept,
    )


def known(value: float | None, unit: str, reason: str | None = None, mode: str | None = None) -> Estimate:
    """An amount that was not sampled, or why there is none."""
    return Estimate(estimate=value, low=None, high=None, n=0, unit=unit, reason=reason, mode=mode)


def _builds(name: str, manifest: Mapping[str, Any], price: Price, own: Settings) -> dict[str, Estimate]:
    build = manifest.get("build") or {}
    found = {}
    for need in needs(manifest.get("config", {}).get("systems", {}).get(name, {})):
        given = getattr(own, need)
        if given is not None:
            found[str(need)] = known(given, f"{price.currency} per {need}", mode="a figure of your own")
        elif need == "indexing":
            found["indexing"] = indexing_cost(price, build.get("index"))
        else:
            found["training"] = training_cost(price, (build.get("adapters") or {}).get(name))
    return found


def _unmeasured(price: Price) -> str:
    if price.kind == "none":
        return "no price was chosen: say price=NAME, as price=cpu"
    if price.kind == "api":
        return "no tokens were counted in this run"
    return "no load was measured in this run: run it again with one, as load=small"


def _first(value: Any) -> Mapping[str, Any]:
    return value[0] if isinstance(value, list) else value or {}


def _estimates(value: Any) -> list[Estimate]:
    names = {field.name for field in dataclasses.fields(Estimate)}
    found = value if isinstance(value, list) else [value]
    return [Estimate(**{key: part for key, part in one.items() if key in names}) for one in found]
