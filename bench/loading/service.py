"""What counts as served: the limits of a service level, and the search for the highest rate that keeps them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from systems.base import UserError


@dataclass(frozen=True, kw_only=True)
class ServiceLevel:
    """The share of requests that has to keep every limit that is set. Failures and time-outs keep none."""

    share: float = 0.9
    ttft_seconds: float | None = None
    """Until the first token."""
    tpot_seconds: float | None = None
    """Per further token, (E2E - TTFT) / (n - 1)."""
    e2e_seconds: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise UserError(f"load.level.share={self.share}: must be above 0 and at most 1")
        limits = {"ttft_seconds": self.ttft_seconds, "tpot_seconds": self.tpot_seconds, "e2e_seconds": self.e2e_seconds}
        for name, value in limits.items():
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UserError(f"load.level.{name}={value}: must be more than 0")
        if all(value is None for value in limits.values()):
            raise UserError("load.level: needs a limit, as load.level.e2e_seconds=1")

    @property
    def words(self) -> str:
        """The level, as modes say it."""
        limits = {"TTFT": self.ttft_seconds, "TPOT": self.tpot_seconds, "E2E": self.e2e_seconds}
        said = ", ".join(f"{name} {value:g} s" for name, value in limits.items() if value is not None)
        return f"{100 * self.share:g} % within {said}"

    def kept(self, record: Mapping[str, Any]) -> bool:
        """Whether one request kept every limit. A limit on what was not measured is not kept."""
        if record["error"] is not None:
            return False
        ttft = record["timings"].get("ttft", math.inf)
        further = record["tokens_out"] - 1
        token = 0.0 if further < 1 else math.inf if ttft == math.inf else (record["e2e"] - ttft) / further
        found = ((ttft, self.ttft_seconds), (token, self.tpot_seconds), (record["e2e"], self.e2e_seconds))
        return all(limit is None or value <= limit for value, limit in found)

    def seconds_to_show(self, excess: float) -> float:
        """How long a rate of ``excess`` times the capacity has to last before it breaks the level.

        What comes above the capacity waits, and after t seconds for (excess - 1) t: the longest limit L is broken by
        more than 1 - share of the requests once t > L / ((excess - 1) share). A shorter burst fits into the queue,
        at any rate. Without a limit on time as a whole, one second is taken for L.
        """
        longest = max(self.ttft_seconds or 0.0, self.e2e_seconds or 0.0) or 1.0
        return longest / ((excess - 1) * self.share)

    def attained(self, records: Iterable[Mapping[str, Any]]) -> float:
        """The share of the requests that kept it."""
        kept = [self.kept(record) for record in records]
        return sum(kept) / len(kept)


@dataclass(frozen=True, kw_only=True)
class RateSearch:
    """Which rate to try next, from what was tried: doubled until one fails, then the middle by ratio.

    Deterministic, so that a search that was killed goes on where it stopped.
    """

    first: float = 1.0
    """Requests per second to begin with."""
    most: float = 1024.0
    """No rate above this is tried."""
    precision: float = 1.15
    """The search ends when the lowest rate that failed is less than this times the highest that was kept."""
    least: float = 1 / 16

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.first <= self.most < math.inf:
            raise UserError(f"load.search: first={self.first} must lie between least={self.least} and most={self.most}")
        if not self.precision > 1:
            raise UserError(f"load.search.precision={self.precision}: must be more than 1")

    def next(self, tried: Mapping[float, bool]) -> float | None:
        """A rate that was not tried, or ``None`` where the search is over. ``tried``: whether the level was kept."""
        low, high = self.bounds(tried)
        if low is None and high is None:
            return self.first
        if high is None:
            assert low is not None
            return min(2 * low, self.most) if low < self.most else None
        if low is None:
            return max(high / 2, self.least) if high > self.least else None
        return math.sqrt(low * high) if high / low > self.precision else None

    @staticmethod
    def bounds(tried: Mapping[float, bool]) -> tuple[float | None, float | None]:
        """The highest rate that was kept below every one that failed, and the lowest that failed."""
        high = min((rate for rate, kept in tried.items() if not kept), default=None)
        low = max((rate for rate, kept in tried.items() if kept and (high is None or rate < high)), default=None)
        return low, high
