"""What a load writes down: a line per request, and one per block that says that the block is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The load of one system under one condition, in one block: measured whole, or again."""

    system: str
    mode: str
    """In words what every measure of the cell goes by: loop, arrivals, rate, cache, adapter."""
    block: int
    rate: float | None = None
    """Requests per second; ``None``: closed loop."""
    users: int | None = None
    """Users at once of a closed loop."""
    cache: str = "cold"
    """``cold``: the prefix cache was emptied before; ``warm``: it had seen the same prompts."""
    weights: str = "request"
    """How adapters are on: ``request``, ``merged``, or ``plain`` (base weights alone, no machinery for adapters)."""
    search: bool = False
    """Whether this is a probe for the highest rate that keeps the service level."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request of a cell. Seconds, counted from when it was scheduled where nothing else is said."""

    number: int
    measured: bool
    """``False`` for the first ones of a block, while the queue fills."""
    task: str
    sample: str
    scheduled: float
    """From the start of the block."""
    lag: float
    """How late it was sent, a full house aside: the client's own fault."""
    e2e: float
    """Until the answer was validated, or given up."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Per stage, ``unaccounted`` among them."""
    cpu: Mapping[str, float | None] = field(default_factory=dict)
    """Processor seconds of the stages before and after the engine's; ``None`` where other threads or another process
    help, so that it cannot be told."""
    gaps: tuple[float, ...] = ()
    """Between the pieces of the text: inter-token latencies."""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int | None = None
    well_formed: bool | None = None
    """Whether the answer keeps to its schema; ``None`` where it has none, or none came."""
    error: str | None = None
    timed_out: bool = False

    def line(self) -> dict[str, Any]:
        """For the journal, times to the microsecond."""
        found = asdict(self)
        for key in ("scheduled", "lag", "e2e"):
            found[key] = round(found[key], 6)
        found["timings"] = {stage: round(value, 6) for stage, value in self.timings.items()}
        found["cpu"] = {stage: None if value is None else round(value, 6) for stage, value in self.cpu.items()}
        found["gaps"] = [round(gap, 5) for gap in self.gaps]
        return found
