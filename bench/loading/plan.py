"""What is loaded: the conditions, in blocks in which the systems take turns, so that a drift favours none."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from bench.loading.arrivals import Arrivals, Poisson
from bench.loading.records import Cell
from bench.loading.service import RateSearch, ServiceLevel
from bench.records import Sample
from systems.base import UserError

Cache = Literal["cold", "warm"]
Weights = Literal["request", "merged", "plain"]
CACHES = {"cold": "prefix cache cold", "warm": "prefix cache warm"}
WEIGHTS = {
    "request": "adapter per request",
    "merged": "adapter merged",
    "plain": "no adapter machinery",
}


@dataclass(frozen=True, kw_only=True)
class Load:
    """Every system under every condition: open loop at each rate, closed loop with each number of users."""

    arrivals: Arrivals = field(default_factory=Poisson)
    rates: Sequence[float] = ()
    """Requests per second of the open loop."""
    users: Sequence[int] = ()
    """Users at once of the closed loop."""
    requests: int = 48
    """Measured requests of a block."""
    seconds: float | None = None
    """Length of an open-loop block, in the place of ``requests``."""
    warm_up: int = 8
    """Requests at the beginning of each block that are not measured."""
    blocks: int = 1
    caches: Sequence[Cache] = ("cold",)
    weights: Sequence[Weights] = ("request",)
    timeout_seconds: float = 60.0
    """From the scheduled moment."""
    in_flight: int = 256
    """Most requests that a system works on at once; further ones wait before it, and their waiting counts."""
    threads: int = 2
    """Threads that retrieve and build prompts."""
    lag_seconds: float = 0.01
    """A block whose client sent later than this at p99 is marked invalid."""
    level: ServiceLevel | None = None
    """With one, goodput is searched for: the highest rate that keeps it."""
    search: RateSearch = field(default_factory=RateSearch)
    searches: int = 1
    """How often it is searched for, each time with other arrivals: from three on their spread gives an interval."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("requests", "blocks", "searches", "in_flight", "threads"):
            if getattr(self, name) < 1:
                raise UserError(f"load.{name}={getattr(self, name)}: must be 1 or more")
        for name in ("timeout_seconds", "lag_seconds", *(["seconds"] if self.seconds is not None else [])):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise UserError(f"load.{name}={getattr(self, name)}: must be more than 0")
        if self.warm_up < 0:
            raise UserError(f"load.warm_up={self.warm_up}: must be 0 or more")
        for rate in self.rates:
            if not (math.isfinite(rate) and rate > 0):
                raise UserError(f"load.rates: {rate}: must be more than 0 requests per second")
        for users in self.users:
            if users < 1:
                raise UserError(f"load.users: {users}: must be 1 or more")
            if users > self.warm_up + self.requests:
                asked = f"load.warm_up + load.requests = {self.warm_up + self.requests}"
                raise UserError(f"load.users: {users}: must be at most {asked}, or some would never ask")
        for name, given, known in (
            ("caches", self.caches, get_args(Cache)),
            ("weights", self.weights, get_args(Weights)),
        ):
            if not given or set(given) - set(known):
                raise UserError(f"load.{name}={list(given)}: must be some of {', '.join(known)}")

    @property
    def wanted(self) -> bool:
        """Whether anything is loaded at all."""
        return bool(self.rates or self.users or self.level)

    def cells(self, systems: Sequence[str], weights: str) -> Iterator[Cell]:
        """Every cell of fixed rates and users, the order of the systems moved on by one from block to block."""
        for cache in self.caches:
            for rate, users in [*((rate, None) for rate in self.rates), *((None, users) for users in self.users)]:
                for block in range(self.blocks):
                    turn = block % len(systems)
                    for system in [*systems[turn:], *systems[:turn]]:
                        yield self.cell(system, cache, weights, block, rate=rate, users=users)

    def cell(
        self,
        system: str,
        cache: str,
        weights: str,
        block: int,
        *,
        rate: float | None = None,
        users: int | None = None,
        search: bool = False,
    ) -> Cell:
        """A cell, and its mode in words."""
        loop = (
            f"closed loop, {users} at once" if rate is None else f"open loop, {self.arrivals.label}, {rate:.4g} per s"
        )
        mode = f"{loop}, {CACHES[cache]}, {WEIGHTS[weights]}"
        return Cell(
            system=system,
            mode=mode,
            block=block,
            rate=rate,
            users=users,
            cache=cache,
            weights=weights,
            search=search,
        )

    def goodput_mode(self, weights: str, cache: str) -> str:
        """How goodput was found, in words."""
        assert self.level is not None
        return f"{self.level.words}, {self.arrivals.label} arrivals, {CACHES[cache]}, {WEIGHTS[weights]}"

    def count(self, cell: Cell) -> int:
        """Requests of a cell, those that warm up among them."""
        if cell.rate is None:
            return self.warm_up + self.requests
        if cell.search:
            assert self.level is not None
            shown = self.level.seconds_to_show(self.search.precision) * cell.rate
            return self.warm_up + max(self.requests, math.ceil(shown))
        if self.seconds is None:
            return self.warm_up + self.requests
        return self.warm_up + max(1, math.ceil(self.seconds * cell.rate))

    def times(self, cell: Cell) -> np.ndarray:
        """Arrivals of a cell: the same for every system, another draw for every block (not of ``constant``)."""
        assert cell.rate is not None
        rng = np.random.default_rng([self.seed, cell.block, round(1000 * cell.rate)])
        return self.arrivals.times(cell.rate, self.count(cell), rng)

    def choose(self, samples: Sequence[Sample], cell: Cell) -> list[Sample]:
        """Queries of all tasks in turn, so that every system gets the same mixture."""
        rng = random.Random(f"load-{self.seed}-{cell.block}")
        by_task: dict[str, list[Sample]] = {}
        for sample in samples:
            by_task.setdefault(sample.task, []).append(sample)
        for members in by_task.values():
            rng.shuffle(members)
        chosen: list[Sample] = []
        turn = 0
        while len(chosen) < self.count(cell):
            chosen.extend(members[turn % len(members)] for members in by_task.values())
            turn += 1
        return chosen[: self.count(cell)]
