"""Scores to estimates, paired comparisons and effects: what ``summary.json`` holds of quality.

Everything rests on one picture. A measure on a task is a table: a row per scored prediction, columns of counts that
can be added up, a cluster per row, and a fold from column totals to the number. Estimates, differences and effects are
contrasts of folds of aligned tables; suite-wide ones are means over tasks. Samples of one cluster are
resampled together, also where they stand in several tasks.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.contrasts import Contrast, contrast
from bench.metrics.base import Metric
from bench.records import Estimate, Prediction, Sample, Score
from bench.sensitivity import FEW_PAIRS, Detectable, detectable, equivalence
from bench.stats import (
    Equivalence,
    bonett_price,
    holm,
    mcnemar_exact,
    minimum_detectable_effect_paired,
    order_statistic,
    quantile_interval,
    two_one_sided_tests,
    wilson,
)
from bench.stats.effects import CONTRASTS, GRID
from bench.tables import TOKENS, Table, Tables

SUITE = "suite"
"""Stands for the whole suite where a task's name is due."""
REPEATS = 10_000
"""Resamples, and permutations drawn where there are too many to count."""


@dataclass(frozen=True)
class SystemEstimates:
    """One system's entry in ``summary.json``."""

    measures: Mapping[str, Estimate]
    """Over the whole suite, every task weighing the same."""
    tasks: Mapping[str, Mapping[str, Estimate]]

    def to_json(self) -> dict[str, Any]:
        def plain(measures: Mapping[str, Estimate]) -> dict[str, Any]:
            return {name: estimate.to_json() for name, estimate in measures.items()}

        return {"measures": plain(self.measures), "tasks": {task: plain(one) for task, one in self.tasks.items()}}


def estimates(
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    scores: Sequence[Score],
    metrics: Sequence[Metric],
    level: float = 0.95,
    repeats: int = REPEATS,
    seed: int = 0,
) -> dict[str, SystemEstimates]:
    """Per system: every measure, per task and suite-wide.

    Wilson for shares of independent samples, expanded percentile bootstrap for means, over clusters where samples (or
    repeats of one sample) share one; suite-wide always by the bootstrap, stratified by task. A measure that applies to
    nothing in a task is left out there; where it applies to nothing at all it is an estimate of ``None`` with a reason.
    ``tokens_in`` and ``tokens_out`` are means over the answers that came.
    """
    tables = Tables.of(samples, predictions, scores, metrics)
    return {
        system: SystemEstimates(
            measures={
                name: _estimate(tables, name, [system], tables.tasks, level, repeats, seed) for name in tables.measures
            },
            tasks={
                task: {
                    name: _estimate(tables, name, [system], [task], level, repeats, seed)
                    for name in tables.measures
                    if tables.rows(name, task, [system])
                }
                for task in tables.tasks
            },
        )
        for system in tables.systems
    }


def _estimate(
    tables: Tables, name: str, systems: Sequence[str], tasks: Sequence[str], level: float, repeats: int, seed: int
) -> Estimate:
    unit = tables.unit(name)
    found = tables.aligned(name, tasks, systems)
    if not found:
        return Estimate(
            estimate=None, low=None, high=None, n=0, unit=unit, reason="the measure applies to none of these answers"
        )
    if len(found) == 1 and found[0].binary and found[0].independent:
        successes, n = found[0].columns[0].sum(axis=0)
        share = wilson(float(successes), float(n), level)
        return Estimate(
            estimate=share.estimate, low=share.low, high=share.high, n=int(n), unit=unit, method=share.method
        )
    return _to_estimate(contrast(found, (1.0,), level, repeats, seed), unit)


def _to_estimate(found: Contrast, unit: str) -> Estimate:
    return Estimate(estimate=found.estimate, low=found.low, high=found.high, n=found.n, unit=unit, method=found.method)


def comparisons(
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    scores: Sequence[Score],
    metrics: Sequence[Metric],
    systems: Sequence[str] | None = None,
    level: float = 0.95,
    repeats: int = REPEATS,
    seed: int = 0,
    tokens: bool = True,
    margin: float | None = None,
) -> list[dict[str, Any]]:
    """Every pair of systems on the samples both have a value for, per measure and task (and ``suite``, if several).

    ``difference`` is a − b. Independent 0/1 values: exact McNemar, ``discordant`` = [only a, only b], Bonett-Price
    interval. Otherwise: cluster sign flips and paired cluster bootstrap (``discordant`` counts the rows where a or b
    scored more); a measure that is no mean (macro F1) has whole clusters of answers exchanged between the two systems
    instead. ``p_holm`` corrects within measure and task. ``mde``: the difference the comparison would have found with
    80 % power at 5 %, two-sided; ``None`` where nothing would do, with ``mde_reason``.
    A pair that shares only some of a measure's tasks has no suite row: see ``partial_suites``.
    ``tokens``: compare token counts too.
    ``margin``: differences up to it count as the same; each row but those of tokens has an ``equivalence`` then.
    """
    tables = Tables.of(samples, predictions, scores, metrics)
    names = list(systems or tables.systems)
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    rows: list[dict[str, Any]] = []
    for measure in tables.measures if tokens else tables.metrics:
        for task, tasks in tables.scopes(SUITE):
            family = []
            for a, b in pairs:
                found = tables.aligned(measure, tasks, (a, b))
                if found and (task != SUITE or not _lacking(tables, measure, names, (a, b))):
                    row = {"measure": measure, "task": task, "a": a, "b": b}
                    within = None if measure in TOKENS else margin
                    family.append(row | _compare(found, level, repeats, seed, within))
            for row, adjusted in zip(family, holm([row["p_value"] for row in family]), strict=True):
                rows.append(row | {"p_holm": adjusted})
    return rows


def partial_suites(
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    scores: Sequence[Score],
    metrics: Sequence[Metric],
    systems: Sequence[str] | None = None,
) -> list[str]:
    """Pairs of systems that share only some of a measure's tasks, in words: a suite of fewer tasks is another suite."""
    tables = Tables.of(samples, predictions, scores, metrics)
    names = list(systems or tables.systems)
    return [
        f"{a} and {b}: not compared in {measure} over the whole suite; they share no sample of {', '.join(lacking)}"
        for measure in tables.metrics
        for at, a in enumerate(names)
        for b in names[at + 1 :]
        if tables.aligned(measure, tables.tasks, (a, b)) and (lacking := _lacking(tables, measure, names, (a, b)))
    ]


def _lacking(tables: Tables, measure: str, systems: Sequence[str], pair: tuple[str, str]) -> list[str]:
    """Tasks in which some of the systems has a value, but not both of the pair on one sample."""
    return [
        task
        for task in tables.tasks
        if any(tables.rows(measure, task, [one]) for one in systems) and not tables.rows(measure, task, pair)
    ]


def _compare(
    found: Sequence[Table], level: float, repeats: int, seed: int, margin: float | None = None
) -> dict[str, Any]:
    """Difference, interval, test, power, and whether the two are the same within the margin."""
    only = found[0] if len(found) == 1 else None
    if only is not None and only.binary and only.independent:
        b, c = only.discordant()
        n = only.n
        interval = bonett_price(b, c, n, level)
        least = minimum_detectable_effect_paired(n, (b + c) / n)
        row = {
            "difference": interval.estimate,
            "low": interval.low,
            "high": interval.high,
            "test": "exact McNemar",
            "p_value": mcnemar_exact(b, c),
            "mde": least,
            "n": n,
            "discordant": [b, c],
            "method": interval.method,
        }
        same = None if margin is None else two_one_sided_tests(only.differences(), margin)
        return row | _told(Detectable(least, FEW_PAIRS if least is None else None), same)
    result = contrast(found, (1.0, -1.0), level, repeats, seed)
    test = result.exchange_test(repeats, seed)
    least_of_all = detectable(result)
    row = {
        "difference": result.estimate,
        "low": result.low,
        "high": result.high,
        "test": test.method,
        "p_value": test.p_value,
        "mde": least_of_all.difference,
        "n": result.n,
        "method": result.method,
    }
    if all(table.is_mean for table in found):
        counts = [table.discordant() for table in found]
        row["discordant"] = [sum(b for b, _ in counts), sum(c for _, c in counts)]
    return row | _told(least_of_all, None if margin is None else equivalence(result, margin))


def _told(least: Detectable, same: Equivalence | None) -> dict[str, Any]:
    """What a row says only sometimes."""
    told: dict[str, Any] = {} if least.reason is None else {"mde_reason": least.reason}
    if same is not None:
        told["equivalence"] = {"margin": same.margin, "p_value": same.p_value, "equivalent": same.equivalent}
    return told


def effects(
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    scores: Sequence[Score],
    metrics: Sequence[Metric],
    grid: Mapping[str, str] | None = None,
    interaction: bool = True,
    level: float = 0.95,
    repeats: int = REPEATS,
    seed: int = 0,
) -> dict[str, Any]:
    """The 2 × 2 grid per measure: ``{measure: {"retrieval": estimate, "tuning": …, "interaction": …, "tasks": {…}}}``.

    ``grid`` names the system in each cell (prompt, rag, finetuned, hybrid); by default the cells' own names. On samples
    where all four have a value. ``interaction=False`` where the two tuned systems do not share an adapter: their
    interaction would mix two treatments. Empty where a cell has no system.
    """
    tables = Tables.of(samples, predictions, scores, metrics)
    cells = [(grid or {}).get(name, name) for name in GRID]
    if any(cell not in tables.systems for cell in cells):
        return {}
    wanted = [name for name in CONTRASTS if interaction or name != "interaction"]
    result: dict[str, Any] = {}
    for measure in tables.measures:
        found = {
            scope: {
                name: _to_estimate(
                    contrast(blocks, CONTRASTS[name], level, repeats, seed), tables.unit(measure)
                ).to_json()
                for name in wanted
            }
            for scope, tasks in [(SUITE, tables.tasks), *((task, [task]) for task in tables.tasks)]
            if (blocks := tables.aligned(measure, tasks, cells))
        }
        if found:
            result[measure] = found.pop(SUITE) | {"tasks": found}
    return result


QUANTILES = (0.5, 0.9, 0.95, 0.99)


def latency_estimates(
    values: Sequence[float],
    mode: str,
    name: str = "latency_e2e",
    quantiles: Sequence[float] = QUANTILES,
    blocks: Sequence[Hashable] | None = None,
    failures: int = 0,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Percentiles of seconds, as ``{name}_p50`` and so on, with order-statistic intervals.

    ``blocks``: the independent repeat or stretch of time of each value, then of each failure, for latencies under a
    queue (see ``quantile_interval``); give it whenever requests could delay each other. ``failures``: calls that never
    answered; they count as slower than every answer, so a percentile they reach is ``None``. Below the sample floor a
    percentile is ``None`` with a reason, not a guess.
    """
    times = [*map(float, values), *([float("inf")] * failures)]
    return {f"{name}_p{100 * q:g}": _percentile(times, q, mode, blocks, failures, level) for q in quantiles}


def _percentile(
    times: Sequence[float], q: float, mode: str, blocks: Sequence[Hashable] | None, failures: int, level: float
) -> Estimate:
    def missing(reason: str) -> Estimate:
        return Estimate(estimate=None, low=None, high=None, n=len(times), unit="s", reason=reason, mode=mode)

    found = quantile_interval(times, q, level, blocks) if times else None
    if found is None:
        amount = f"{len(times)} samples" if blocks is None else f"{len(times)} samples in {len(set(blocks))} blocks"
        return missing(f"{amount} are too few for an interval of p{100 * q:g}")
    if order_statistic(times, q) == float("inf"):
        return missing(f"{failures} of {len(times)} calls failed, and p{100 * q:g} falls among them")
    return Estimate(
        estimate=found.estimate,
        low=found.low,
        high=None if found.high == float("inf") else found.high,
        n=len(times),
        unit="s",
        mode=mode,
        method=found.method,
    )
