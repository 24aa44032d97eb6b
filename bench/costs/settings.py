"""A person's own figures of a period: what no run can know. None is invented; unset ones are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.costs.per_call import check_utilisation
from bench.costs.price import is_amount
from systems.base import UserError

UTILISATIONS = (1.0, 0.3)
"""Shares of the time in which the machines have work: cost is shown at both, the first is quoted."""
BY_SYSTEM = ("curation", "build", "operation", "parts")
"""Settings that have a figure for each system."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What ``conf/cost.yaml`` sets; amounts are in the price's currency."""

    volume: float | None = None
    """Calls in a month; without it no fixed cost is spread over calls."""
    updates_per_month: float | None = None
    """How often what the systems know changes: each time the index is built, or the weights are tuned, anew."""
    months: float = 1.0
    """Over which what is spent once (curation, building, the first training and indexing) is spread."""
    utilisation: float | Sequence[float] = UTILISATIONS
    """Shares of the time in which the machines have work; the first is quoted."""
    attempts: int = 3
    """Calls in all where a malformed answer is asked for again."""
    training: float | None = None
    """Of one training, instead of what the build's record says."""
    indexing: float | None = None
    """Of one indexing, instead of what the build's record says."""
    curation: Mapping[str, float] | float = field(default_factory=dict)
    """Per system, once: training examples, documents."""
    build: Mapping[str, float] | float = field(default_factory=dict)
    """Per system, once: people's work."""
    operation: Mapping[str, float] | float = field(default_factory=dict)
    """Per system and month: servers that are always on, people on duty."""
    parts: Mapping[str, float] | float = field(default_factory=dict)
    """Per system and call: embedding, search and reranking that somebody else bills."""

    def __post_init__(self) -> None:
        for key in ("volume", "months"):
            value = getattr(self, key)
            if value is not None and not (is_amount(value) and value > 0):
                raise UserError(f"{key}={value}: must be a number above 0")
        for key in ("updates_per_month", "training", "indexing"):
            value = getattr(self, key)
            if value is not None and not is_amount(value):
                raise UserError(f"{key}={value}: must be a number of 0 or more")
        if not (isinstance(self.attempts, int) and self.attempts >= 1):
            raise UserError(f"attempts={self.attempts}: must be a whole number of 1 or more")
        if not self.utilisations:
            raise UserError("utilisation=[]: must be one share of the time or several")
        for share in self.utilisations:
            if not is_amount(share):
                raise UserError(f"utilisation={share}: must be above 0 and at most 1")
            check_utilisation(share)
        for key in BY_SYSTEM:
            value = getattr(self, key)
            for name, amount in value.items() if isinstance(value, Mapping) else [("", value)]:
                if not is_amount(amount):
                    raise UserError(f"{key}{name and '.'}{name}={amount}: must be a number of 0 or more")

    @property
    def utilisations(self) -> tuple[float, ...]:
        """One or several, as a tuple."""
        return tuple(self.utilisation) if isinstance(self.utilisation, Sequence) else (self.utilisation,)

    def own(self, key: str, system: str) -> float:
        """A system's figure of ``BY_SYSTEM``: its own, or the one that is given for all; else 0."""
        value: Mapping[str, float] | float = getattr(self, key)
        return float(value.get(system, 0.0) if isinstance(value, Mapping) else value)
