"""Seconds per stage of a call: medians under load where they were taken, else means of the quality run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.reporting.measures import quoted

STAGES = (
    *("harness", "embed", "search", "rerank", "prompt", "transport", "remote", "queue", "prefill", "decode"),
    *("validate", "unaccounted"),
)
"""``harness``: sending, threads, the bound on requests in flight; ``transport``: to the engine's core and back;
``remote``: all that a server hides before its first token."""


@dataclass(frozen=True, kw_only=True)
class Stages:
    """Where the time of one system's calls goes."""

    system: str
    seconds: Mapping[str, float]
    """Per stage, in the order of ``STAGES``; a stage that was not timed is not here."""
    n: int

    @property
    def total(self) -> float:
        return math.fsum(self.seconds.values())

    def percent(self, stage: str) -> float:
        """The stage's part of the whole."""
        return 100 * self.seconds[stage] / self.total


@dataclass(frozen=True, kw_only=True)
class StageTable:
    """All systems, and where the timings come from."""

    title: str
    """What the numbers are, and where they come from."""
    systems: tuple[Stages, ...]

    @property
    def longest(self) -> float:
        return max((stages.total for stages in self.systems), default=0.0)

    @property
    def names(self) -> list[str]:
        """The stages that any system has."""
        return [name for name in STAGES if any(name in stages.seconds for stages in self.systems)]


def stage_table(summary: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> StageTable | None:
    """From the load's ``stage_<name>_p50`` measures; without those, from the journal of the quality run."""
    loaded = [_from_summary(system, entry["measures"]) for system, entry in summary["systems"].items()]
    if any(stages.seconds for stages in loaded):
        return StageTable(
            title="Median time per stage of a call under load; medians of stages need not add up to that of the call",
            systems=tuple(loaded),
        )
    journal = [_from_journal(system, predictions) for system in summary["systems"]]
    if not any(stages.seconds for stages in journal):
        return None
    return StageTable(
        title="Mean time per stage of a call in the quality run, in full batches: read the shares, not the seconds",
        systems=tuple(journal),
    )


def _from_summary(system: str, measures: Mapping[str, Any]) -> Stages:
    seconds, n = {}, 0
    for stage in STAGES:
        estimate = next((e for suffix in ("_p50", "") if (e := quoted(measures, f"stage_{stage}{suffix}"))), None)
        if estimate and estimate["estimate"] is not None:
            seconds[stage] = float(estimate["estimate"])
            n = max(n, int(estimate["n"]))
    return Stages(system=system, seconds=seconds, n=n)


def _from_journal(system: str, predictions: Sequence[Mapping[str, Any]]) -> Stages:
    timed = [p["timings"] for p in predictions if p["system"] == system and p.get("timings") and not p.get("error")]
    sums = {
        stage: math.fsum(float(t.get(stage, 0.0)) for t in timed) for stage in STAGES if any(stage in t for t in timed)
    }
    return Stages(system=system, seconds={stage: total / len(timed) for stage, total in sums.items()}, n=len(timed))
