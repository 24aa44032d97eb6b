"""What the paired tests show: who is ahead of whom, after Holm, and who is not.

A comparison's ``difference`` is ``a`` minus ``b``; its ``task`` is one of ``SUITE`` where it spans the suite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.reporting.measures import measure, quoted

SUITE = ("", "all", "suite", "*", None)
ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A paired difference, turned so that a positive one favours ``better``'s side."""

    other: str
    difference: float
    low: float | None
    high: float | None
    shown: bool
    mde: float | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the tests say of one measure in one scope."""

    measure: str
    unit: str
    leader: str
    """The system with the best estimate."""
    estimate: Mapping[str, Any]
    beaten: tuple[Gap, ...]
    """The systems it is shown to be better than."""
    level: tuple[Gap, ...]
    """The systems from which no difference was shown, or that were not compared."""
    any_shown: bool
    """Some pair of systems differs, the leader in it or not."""
    mde: float | None
    """The widest minimum detectable effect of the pairs, each tested alone at 5 %."""

    @property
    def best(self) -> str | None:
        """The leader, where it is shown to be better than every other system."""
        return self.leader if self.beaten and not self.level else None


def in_scope(comparisons: Sequence[Mapping[str, Any]], name: str, task: str | None) -> list[Mapping[str, Any]]:
    """The comparisons of a measure in a task, or over the suite where ``task`` is ``None``.

    A suite of one task has no comparisons of its own: there the task's are the suite's.
    """
    if task is None and len(tasks := {c["task"] for c in comparisons}) == 1:
        task = next(iter(tasks))
        task = None if task in SUITE else task
    return [
        c for c in comparisons if c["measure"] == name and (c["task"] in SUITE if task is None else c["task"] == task)
    ]


def verdict(
    measured: Mapping[str, Mapping[str, Any]],
    comparisons: Sequence[Mapping[str, Any]],
    name: str,
    task: str | None = None,
) -> Verdict | None:
    """The verdict on a measure; ``measured`` maps systems to their measures in that scope.

    ``None`` where nothing was compared, or where no direction is better.
    """
    better = measure(name).better
    tested = in_scope(comparisons, name, task)
    found = {system: estimate for system, measures in measured.items() if (estimate := quoted(measures, name))}
    values = {system: float(e["estimate"]) for system, e in found.items() if e["estimate"] is not None}
    if better is None or len(values) < 2 or not tested:
        return None
    sign, scale = 1.0 if better == "higher" else -1.0, measure(name).scale
    leader = max(values, key=lambda system: sign * values[system])
    gaps = [_gap(tested, leader, other, sign, scale) for other in values if other != leader]
    return Verdict(
        measure=name,
        unit=str(found[leader]["unit"]),
        leader=leader,
        estimate=found[leader],
        beaten=tuple(gap for gap in gaps if gap.shown),
        level=tuple(gap for gap in gaps if not gap.shown),
        any_shown=any(c["p_holm"] is not None and c["p_holm"] < ALPHA for c in tested),
        mde=None if any(c["mde"] is None for c in tested) else max(c["mde"] * scale for c in tested),
    )


def _gap(tested: Sequence[Mapping[str, Any]], leader: str, other: str, sign: float, scale: float) -> Gap:
    for c in tested:
        if {c["a"], c["b"]} != {leader, other} or c["difference"] is None:
            continue
        turn = scale * (sign if c["a"] == leader else -sign)
        ends = [] if None in (c["low"], c["high"]) else sorted((turn * c["low"], turn * c["high"]))
        low, high = ends or (None, None)
        difference = turn * c["difference"]
        shown = c["p_holm"] is not None and c["p_holm"] < ALPHA and difference > 0
        mde = None if c["mde"] is None else c["mde"] * scale
        return Gap(other=other, difference=difference, low=low, high=high, shown=shown, mde=mde)
    return Gap(other=other, difference=0.0, low=None, high=None, shown=False, mde=None)


def task_names(summary: Mapping[str, Any]) -> list[str]:
    """The tasks of a run, in the order the systems name them."""
    return list(dict.fromkeys(task for entry in summary["systems"].values() for task in entry["tasks"]))
