"""What a system costs in a month beside its calls, and which of two is the cheaper by volume and rate of updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from bench.costs.settings import Settings
from bench.records import Estimate

VOLUMES = (*(float(f"{lead}e{power}") for power in range(2, 8) for lead in (1, 3)), 1e8)
UPDATES = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Calls and updates per month of the surface; those that a person declares are put among them."""


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """What a system costs in a month beside its calls."""

    fixed: float = 0.0
    """Whatever the number of updates: what was spent once, spread over the months, and operation."""
    per_update: float = 0.0
    """One indexing, one training, or both."""

    def over(self, updates: float) -> float:
        """Cost of a month with so many updates."""
        return self.fixed + self.per_update * updates


def upkeep(builds: Mapping[str, Estimate], system: str, own: Settings) -> Upkeep | str:
    """A system's, from what its builds cost and a person's own figures; or why it is not known."""
    for need, one in builds.items():
        if one.estimate is None:
            return f"what one {need} costs is not known"
    built = sum(one.estimate for one in builds.values() if one.estimate is not None)
    once = own.own("curation", system) + own.own("build", system) + built
    return Upkeep(fixed=once / own.months + own.own("operation", system), per_update=built)


def break_even_surface(
    a: Upkeep, b: Upkeep, per_call_a: float, per_call_b: float, volumes: Sequence[float], updates: Sequence[float]
) -> list[list[float]]:
    """Cost of a less cost of b in a month, one row per number of updates, one column per volume of calls.

    Below 0, a is the cheaper: the zero line is the break-even, of re-indexing against re-training say.
    """
    return [
        [a.over(rate) - b.over(rate) + volume * (per_call_a - per_call_b) for volume in volumes] for rate in updates
    ]


def surface(systems: Mapping[str, tuple[Upkeep, float]], volume: float | None, updates: float | None) -> dict[str, Any]:
    """The surface of every pair whose costs are known, over the default grid with what was declared put into it."""
    volumes = sorted({*VOLUMES, *([volume] if volume else [])})
    rates = sorted({*UPDATES, *([updates] if updates is not None else [])})
    pairs = [
        {
            "a": a,
            "b": b,
            "difference": break_even_surface(
                systems[a][0], systems[b][0], systems[a][1], systems[b][1], volumes, rates
            ),
        }
        for a, b in combinations(systems, 2)
    ]
    return {"volumes": volumes, "updates_per_month": rates, "pairs": pairs}
