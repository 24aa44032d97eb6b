"""When users come: seconds from the start of a load, drawn before it begins, so that no slow answer holds back the next
question (open loop; Schroeder, Wierman and Harchol-Balter, NSDI 2006)."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from systems.base import UserError


class Arrivals(Protocol):
    """A process of arrivals."""

    @property
    def label(self) -> str:
        """Its name, as modes say it."""
        ...

    def times(self, rate: float, count: int, rng: np.random.Generator) -> np.ndarray:
        """Shape (count,), seconds, rising. ``rate``: arrivals per second on average."""
        ...


@dataclass(frozen=True)
class Poisson:
    """Users who know nothing of each other: exponential gaps."""

    label: str = "Poisson"

    def times(self, rate: float, count: int, rng: np.random.Generator) -> np.ndarray:
        return np.cumsum(rng.exponential(1 / rate, count))


@dataclass(frozen=True)
class Gamma:
    """Gamma gaps. ``shape`` under 1: bursts; 1: Poisson; above: more even (vLLM's ``burstiness``)."""

    shape: float = 0.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.shape) and self.shape > 0):
            raise UserError(f"load.arrivals.shape={self.shape}: must be more than 0; under 1 arrivals come in bursts")

    @property
    def label(self) -> str:
        return f"gamma {self.shape:g}"

    def times(self, rate: float, count: int, rng: np.random.Generator) -> np.ndarray:
        return np.cumsum(rng.gamma(self.shape, 1 / (rate * self.shape), count))


@dataclass(frozen=True)
class Constant:
    """One every 1/rate seconds."""

    label: str = "constant"

    def times(self, rate: float, count: int, rng: np.random.Generator) -> np.ndarray:
        return np.arange(1, count + 1) / rate


@dataclass(frozen=True)
class Trace:
    """Recorded arrivals, one time in seconds per line of a text file, replayed at the rate that is asked for.

    Only the pattern is the trace's: what is replayed of it is scaled so that its mean rate is ``rate``. It begins at a
    place drawn at random and goes on from the start at its end.
    """

    path: str

    def __post_init__(self) -> None:
        self.gaps  # noqa: B018 - a file that cannot be replayed is refused now

    @property
    def label(self) -> str:
        return f"trace {Path(self.path).stem}"

    @cached_property
    def gaps(self) -> np.ndarray:
        """Seconds between arrivals. Raises ``UserError`` for a file that holds no rising numbers."""
        where = f"load.arrivals.path={self.path}"
        try:
            lines = Path(self.path).read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{where}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
        try:
            moments = [float(line) for line in lines]
        except ValueError as error:
            raise UserError(f"{where}: must hold one time in seconds per line: {error}") from None
        gaps = [b - a for a, b in itertools.pairwise(moments)]
        if not all(math.isfinite(moment) for moment in moments) or not gaps or min(gaps) < 0 or sum(gaps) <= 0:
            raise UserError(f"{where}: must hold two or more times in seconds, none before the one above it")
        return np.asarray(gaps)

    def times(self, rate: float, count: int, rng: np.random.Generator) -> np.ndarray:
        gaps = np.resize(np.roll(self.gaps, -rng.integers(len(self.gaps))), count)
        times = np.cumsum(gaps)
        # A stretch without any time in it has no rate of its own: all at once, at the moment that the rate says.
        return times * (count / rate / times[-1]) if times[-1] > 0 else np.full(count, 1 / rate)
