"""A load's lines to estimates: percentiles, throughput, goodput and shares, each once per mode."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.aggregate import QUANTILES, latency_estimates
from bench.loading.measured import Line, Whole
from bench.loading.plan import Load
from bench.loading.records import Cell
from bench.records import INVALID, Estimate
from bench.shares import share
from bench.stats import bootstrap_mean, cluster_bootstrap, student_mean
from bench.stats.quantiles import order_statistic

Measures = dict[str, list[Estimate]]
STRETCH = 5
"""Requests that were due one after the other: they met the same queue, so they count as one block; so does an outage
of any length."""
ENOUGH_BLOCKS = 6
"""With so many blocks of a condition, these are the independent repeats; with fewer, stretches within them."""
STAGES = (
    *("send", "admission", "wait", "embed", "search", "rerank", "prompt", "handover"),
    *("transport", "remote", "queue", "prefill", "decode", "validate", "unaccounted"),
)
"""In the order in which a request meets them; ``remote`` is all that a server hides before its first token."""
HARNESS = ("send", "admission", "wait", "handover")
"""What the harness itself adds: the event loop, the threads, the bound on requests in flight."""


def load_measures(whole: Whole, load: Load) -> dict[str, Measures]:
    """System → measure → an estimate per mode, the gentlest first: the one that is quoted."""
    by_mode: dict[tuple[str, str], list[Cell]] = {}
    for cell in whole.cells():
        if not cell.search:
            by_mode.setdefault((cell.system, cell.mode), []).append(cell)
    found: dict[str, Measures] = {}
    for (system, _), cells in sorted(
        by_mode.items(), key=lambda item: (_invalid(whole, item[1], load), _gentleness(item[1][0]))
    ):
        measures = found.setdefault(system, {})
        for name, estimate in _of_mode(whole, cells, load).items():
            measures.setdefault(name, []).append(estimate)
    for measures in found.values():  # an open loop's throughput is what was asked of it, so it is quoted last
        for name in ("throughput", "tokens_per_second"):
            measures[name].sort(key=lambda estimate: not (estimate.mode or "").startswith("closed"))
    for system, estimates in goodputs(whole, load).items():
        found.setdefault(system, {})["goodput"] = estimates
    return found


def _gentleness(cell: Cell) -> tuple[bool, bool, bool, float]:
    """As in the quality run before other weights, cold before warm, open loop before closed, low rates first."""
    return cell.weights != "request", cell.cache != "cold", cell.rate is None, cell.rate or float(cell.users or 0)


def _of_mode(whole: Whole, cells: Sequence[Cell], load: Load) -> dict[str, Estimate]:
    mode = mode_of(whole, cells, load)
    rows = _placed([(cell.block, line) for cell in cells for line in whole.requests(cell)], len(cells))
    good = [(block, line) for block, line in rows if line["error"] is None]
    failed = [block for block, line in rows if line["error"] is not None]

    def timed(name: str, quantiles: Sequence[float], pick: Any) -> dict[str, Estimate]:
        kept = [(block, value) for block, line in good if (value := pick(line)) is not None]
        if not kept and not (failed and name == "latency_e2e"):
            return {}
        late = failed if name in ("latency_e2e", "ttft") else []
        blocks = [*(block for block, _ in kept), *late]
        return latency_estimates([value for _, value in kept], mode, name, quantiles, blocks, len(late))

    found = timed("latency_e2e", QUANTILES, lambda line: line["e2e"])
    found |= timed("ttft", QUANTILES, lambda line: line["timings"].get("ttft"))
    found |= timed("tpot", QUANTILES, _per_token)
    gaps = [(gap, request) for request, (_, line) in enumerate(good) for gap in line["gaps"]]
    if gaps:  # pooled, clustered by request
        found |= latency_estimates([gap for gap, _ in gaps], mode, "itl", QUANTILES, [request for _, request in gaps])
    for stage in STAGES:
        found |= timed(f"stage_{stage}", (0.5, 0.95), lambda line, stage=stage: line["timings"].get(stage))
    found |= timed("stage_harness", (0.5, 0.95), _harness)
    shares = {
        "error_rate": [(line["error"] is not None and not line["timed_out"], block) for block, line in rows],
        "timeout_rate": [(line["timed_out"], block) for block, line in rows],
        "well_formed_under_load": [
            (line["well_formed"], block) for block, line in rows if line["well_formed"] is not None
        ],
    }
    if load.level is not None:
        shares["level_attained"] = [(load.level.kept(line), block) for block, line in rows]
    found |= {name: replace(share(*zip(*told, strict=True)), mode=mode) for name, told in shares.items() if told}
    if cached := [line for _, line in good if line["tokens_cached"] is not None and line["tokens_in"]]:
        hits = sum(line["tokens_cached"] for line in cached) / sum(line["tokens_in"] for line in cached)
        found["cache_hit_share"] = Estimate(estimate=hits, low=None, high=None, n=len(cached), unit="share", mode=mode)
    if shown := [_unaccounted(line) for _, line in good if "unaccounted" in line["timings"]]:
        mean = bootstrap_mean(shown)
        found["unaccounted_share"] = Estimate(
            estimate=mean.estimate, low=mean.low, high=mean.high, n=len(shown), unit="share", mode=mode,
            method=mean.method,
        )  # fmt: skip
    found |= _rates(whole, cells, mode)
    return found


def mode_of(whole: Whole, cells: Sequence[Cell], load: Load) -> str:
    """The mode in words, with what makes it another one, or invalid."""
    return _marked(cells[0].mode + (f", {len(cells)} blocks" if len(cells) > 1 else ""), whole, cells, load)


def _marked(mode: str, whole: Whole, cells: Sequence[Cell], load: Load) -> str:
    """With what these cells were that their mode does not say."""
    if cells[0].cache == "cold" and not all(whole.ended(cell)["emptied"] for cell in cells):
        mode = mode.replace("prefix cache cold", "prefix cache of the server, not reset")
    if any(_repeated(whole.requests(cell)) for cell in cells):
        mode += ", prompts repeated"
    if late := _invalid(whole, cells, load):
        mode += f"; {INVALID}: sent {1000 * late:.0f} ms late at p99, the client could not keep up"
    return mode


def _invalid(whole: Whole, cells: Sequence[Cell], load: Load) -> float:
    """Seconds that the worst block was sent late at p99, where that is too much; else 0."""
    late = (order_statistic([line["lag"] for line in whole.requests(cell)], 0.99) for cell in cells if cell.rate)
    return max((lag for lag in late if lag > load.lag_seconds), default=0.0)


def _repeated(lines: Sequence[Line]) -> bool:
    return len({(line["task"], line["sample"]) for line in lines}) < len(lines)


def _per_token(line: Line) -> float | None:
    """(E2E - TTFT) / (n - 1); answers of one token have none."""
    if line["tokens_out"] < 2 or "ttft" not in line["timings"]:
        return None
    return float(line["e2e"] - line["timings"]["ttft"]) / (line["tokens_out"] - 1)


def _harness(line: Line) -> float | None:
    own = [line["timings"][stage] for stage in HARNESS if stage in line["timings"]]
    return math.fsum(own) if own else None


def _unaccounted(line: Line) -> float:
    return float(line["timings"]["unaccounted"] / line["e2e"]) if line["e2e"] else 0.0


def _placed(rows: Sequence[tuple[int, Line]], cells: int) -> list[tuple[Hashable, Line]]:
    """Each request with the independent stretch of time that it belongs to, in the order in which they were due.

    Failures one after the other are one outage, so one stretch, however many they are.
    """
    found: list[tuple[Hashable, Line]] = []
    stretch = size = 0
    before: tuple[int, bool] | None = None
    for block, line in sorted(rows, key=lambda row: (row[0], row[1]["scheduled"])):
        now = block, line["error"] is not None
        if before is not None and (block != before[0] or (size >= STRETCH and not (now[1] and before == now))):
            stretch, size = stretch + 1, 0
        size += 1
        before = now
        found.append((block if cells >= ENOUGH_BLOCKS else stretch, line))
    return found


def _rates(whole: Whole, cells: Sequence[Cell], mode: str) -> dict[str, Estimate]:
    """Requests and tokens per second of each block's measured part, with Student's interval over the blocks."""
    counted = [_counted(whole, cell) for cell in cells]
    requests, tokens = [], []
    for lines, seconds in counted:
        good = [line for line in lines if line["error"] is None]
        requests.append(len(good) / seconds)
        tokens.append(sum(line["tokens_out"] for line in good) / seconds)
    n = sum(len(whole.requests(cell)) for cell in cells)
    found = {}
    for name, values, unit in (("throughput", requests, "requests/s"), ("tokens_per_second", tokens, "tokens/s")):
        mean = student_mean(values)
        found[name] = Estimate(
            estimate=mean.estimate,
            low=None if mean.low is None else max(mean.low, 0.0),
            high=mean.high,
            n=n,
            unit=unit,
            mode=mode,
            method=_over(len(values), "block", "blocks", mean.method),
        )
    if cells[0].users is not None and len(cells) == 1:
        placed = _placed([(0, line) for line in counted[0][0]], 1)
        found["throughput"] = _by_little(found["throughput"], [(line["e2e"], block) for block, line in placed])
    return found


def _over(count: int, one: str, several: str, method: str) -> str:
    """What an interval was taken over, or that so few have none."""
    return f"{f'one {one}' if count == 1 else f'{count} {several}'}: {method}"


def _counted(whole: Whole, cell: Cell) -> tuple[list[Line], float]:
    """Requests that count for the throughput, and the seconds that they took.

    Of an open loop: all that was measured, from the first arrival to the last answer. Of a closed loop, by Little's
    law, the seconds that its users waited, each for one request at a time, shared among them: no edge of a window cuts
    a wave of answers in two. Its last requests do not count: while they were answered, places stood empty.
    """
    lines = whole.requests(cell)
    if cell.users is not None:
        in_order = sorted(lines, key=lambda line: line["scheduled"])
        lines = in_order[: 1 - cell.users or None] or in_order
        return lines, math.fsum(line["e2e"] for line in lines) / cell.users
    begun = min(line["scheduled"] for line in lines)
    return lines, max(line["scheduled"] + line["e2e"] for line in lines) - begun


def _by_little(rate: Estimate, times: Sequence[tuple[float, Hashable]]) -> Estimate:
    """A closed loop's throughput with the interval of its mean latency, from the latencies and their blocks.

    By Little's law throughput = users / mean latency, so the two vary together. Stretches of one block share its
    minute of the machine, so the bootstrap over them is a lower bound of the uncertainty.
    """
    if not times or rate.estimate is None:
        return rate
    mean = cluster_bootstrap([seconds for seconds, _ in times], [block for _, block in times])
    if mean.low is None:
        return rate
    return replace(
        rate,
        low=None if mean.high is None else rate.estimate * mean.estimate / mean.high,
        high=None if not mean.low else rate.estimate * mean.estimate / mean.low,
        method=f"Little's law over the {mean.method} of the mean latency",
    )


def goodputs(whole: Whole, load: Load) -> dict[str, list[Estimate]]:
    """System → goodput per way to serve: the highest rate that kept the service level, over all searches."""
    if load.level is None:
        return {}
    counts: dict[tuple[str, str, str], int] = {}
    for cell in whole.cells():
        if cell.search:
            key = cell.system, cell.weights, cell.cache
            counts[key] = counts.get(key, 0) + len(whole.requests(cell))
    over: dict[tuple[str, str, str], list[Mapping[float, bool]]] = {}
    for search, tried in whole.searches(load.level).items():
        if load.search.next(tried) is None:
            over.setdefault((search.system, search.weights, search.cache), []).append(tried)
    decided: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in whole.cells():
        key = cell.system, cell.weights, cell.cache
        if cell.search and any(cell.rate in load.search.bounds(tried) for tried in over.get(key, ())):
            decided.setdefault(key, []).append(cell)
    found: dict[str, list[Estimate]] = {}
    for key in sorted(
        over, key=lambda one: (_invalid(whole, decided[one], load), one[1] != "request", one[2] != "cold", one)
    ):
        system, weights, cache = key
        mode = _marked(load.goodput_mode(weights, cache), whole, decided[key], load)
        found.setdefault(system, []).append(_goodput(over[key], counts[key], mode, load))
    return found


def _goodput(searches: Sequence[Mapping[float, bool]], n: int, mode: str, load: Load) -> Estimate:
    """The geometric mean of the highest rates that the searches kept.

    Its interval is Student's over the searches' logarithms: the lower end that of the rates kept, the upper that of
    the rates broken, since what the system can do lies somewhere between the two. Without an upper end where a search
    was kept at every rate it tried; without an interval where there are too few searches.
    """
    bounds = [load.search.bounds(tried) for tried in searches]
    kept = [low for low, _ in bounds if low is not None]
    broken = [high for _, high in bounds if high is not None]
    if len(kept) < len(searches):
        of = "" if len(searches) == 1 else f" in {len(searches) - len(kept)} of {len(searches)} searches"
        reason = f"the service level was kept at no rate down to {load.search.least:g} per s{of}"
        return Estimate(estimate=None, low=None, high=None, n=n, unit="requests/s", mode=mode, reason=reason)
    below = student_mean(np.log(kept))
    above = student_mean(np.log(broken)) if len(broken) == len(searches) else None
    return Estimate(
        estimate=math.exp(below.estimate),
        low=None if below.low is None else math.exp(below.low),
        high=None if above is None or above.high is None else math.exp(above.high),
        n=n,
        unit="requests/s",
        mode=mode,
        method=_over(len(searches), "search", "searches", below.method)
        + ("" if above else f", kept at the highest rate of all, {load.search.most:g} per s"),
    )


def blocks_spread(whole: Whole) -> Iterator[dict[str, Any]]:
    """Every block's median latency and what the machine did meanwhile: for the report's table of repeats.

    The machine worked for all requests that were ``asked``, those that warmed up among them.
    """
    for cell in whole.cells():
        times = [line["e2e"] for line in whole.requests(cell) if line["error"] is None]
        yield {
            "system": cell.system,
            "mode": cell.mode,
            "block": cell.block,
            "search": cell.search,
            "rate": cell.rate,
            "p50": order_statistic(times, 0.5) if times else None,
            "requests": len(whole.requests(cell)),
            "asked": len(whole.everyone(cell)),
            "machine": whole.ended(cell)["machine"],
            "stage_cpu_seconds": _worked(whole.everyone(cell)),
        }


def _worked(lines: Sequence[Line]) -> dict[str, float | None]:
    """Processor seconds of all requests by stage; ``None`` where a request cannot tell."""
    told = [line.get("cpu", {}) for line in lines]  # journals of before have none
    found: dict[str, float | None] = {}
    for stage in STAGES:
        values = [one[stage] for one in told if stage in one]
        if values:
            found[stage] = None if None in values else math.fsum(values)
    return found
