"""``bench report``: scores to estimates, comparisons and effects; then ``summary.json`` and ``report.html``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.aggregate import QUANTILES, comparisons, effects, estimates, latency_estimates, partial_suites
from bench.attribution import attribute
from bench.config import build
from bench.consistency import agreement
from bench.controls import read_controls
from bench.cost import Price, api_cost_per_call, cost_estimate, cost_per_accepted
from bench.diagnosis import diagnose
from bench.gate import gate
from bench.generate import read_passages
from bench.journal import read, write_atomically
from bench.labels import write_agreement
from bench.records import Estimate
from bench.refresh import refresh
from bench.reporting.measures import listed
from bench.scoring import metrics_of, open_run
from bench.secondary import doubt, mark
from bench.stats import bootstrap_mean
from bench.stats.effects import GRID
from bench.workspace import Workspace

HEADLINE = (
    "accuracy",
    "format_adherence",
    "hallucination_rate",
    "unfaithful_rate",
    "stale_rate",
    "leak_rate",
    "accepted",
)
"""Measures that systems are compared on, beside those that somebody added; the others are estimated only."""


def summarise(workspace: Workspace, price: Price, margin: float | None = None) -> dict[str, Any]:
    """Everything ``summary.json`` says, from the run's files alone; ``margin``: differences that count as the same."""
    manifest = workspace.read_manifest()
    samples = workspace.read_samples()
    predictions = workspace.read_predictions()
    scores = workspace.read_scores()
    metrics = list(metrics_of(manifest["metrics"]).values())
    loads = read_loads(workspace)
    devices = int(manifest["config"].get("engine", {}).get("tensor_parallel_size", 1))
    systems: dict[str, Any] = {}
    estimated = estimates(samples, predictions, scores, metrics)
    for name in [name for name in manifest["systems"] if name in estimated]:
        found = estimated[name]
        systems[name] = found.to_json()
        further = load_estimates(loads.get(name, []))
        systems[name]["measures"] |= {measure: estimate.to_json() for measure, estimate in further.items()}
        costs = cost_estimates(
            price, found.measures, further.get("throughput"), devices, manifest.get("engine", {}).get("ran_on")
        )
        systems[name]["measures"] |= {measure: [one.to_json() for one in modes] for measure, modes in costs.items()}
    headline = [metric for metric in metrics if metric.name in HEADLINE or not listed(metric.name)]
    adapters = manifest.get("build", {}).get("adapters", {})
    shared = len({record["key"] for system, record in adapters.items() if system in GRID}) <= 1
    fair = not manifest.get("unequal")  # else the effects would be those of other settings too
    partial = partial_suites(samples, predictions, scores, headline, list(systems))
    summary = {
        "run": {
            "id": workspace.path.name,
            "experiment": manifest["experiment"],
            "seed": manifest["seed"],
            "model": manifest["model"]["name"],
            "engine": manifest.get("engine", {}).get("engine", "unknown"),
            "started": manifest["started"],
            "finished": manifest.get("finished"),
            "commit": manifest["commit"],
            "grid": manifest["grid"],
            "parity": manifest["parity"],
            "split": manifest.get("split", "test"),
            **read_controls(list(read(workspace.controls))),
            "findings": [*manifest.get("findings", []), *({"level": "note", "text": text} for text in partial)],
        },
        "planned": manifest["planned"],
        "completed": len(predictions),
        "systems": systems,
        "comparisons": comparisons(samples, predictions, scores, headline, list(systems), margin=margin),
        "effects": effects(samples, predictions, scores, headline, interaction=shared) if fair else {},
        "gate": {
            system: gate(estimated[system].tasks)
            for system in systems
            if any(one.retrieves for one in predictions if one.system == system)
        },
        "counterfactuals": diagnose(samples, scores, read(workspace.counterfactuals), read_passages(workspace)),
        "refresh": refresh(manifest, {name: entry["measures"] for name, entry in systems.items()}, price),
        "variants": agreement(samples, predictions, manifest.get("variants", {})),
    }
    return mark(summary, metrics, doubt(manifest, write_agreement(workspace)))


def read_loads(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """Load records by system: the last attempt, which is the complete one."""
    by_attempt: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for record in read(workspace.load):
        by_attempt.setdefault(record["system"], {}).setdefault(record["attempt"], []).append(record)
    return {system: attempts[max(attempts)] for system, attempts in by_attempt.items()}


def load_estimates(records: Sequence[Mapping[str, Any]]) -> dict[str, Estimate]:
    """Percentiles, throughput and the stages' medians of one system's load."""
    if not records:
        return {}
    mode = str(records[0]["mode"])
    good = [record for record in records if record["error"] is None]
    failures = len(records) - len(good)
    found = _stage(good, "e2e", "latency_e2e", mode, QUANTILES, failures)
    found |= _stage(good, "ttft", "ttft", mode, (0.5, 0.95), failures)
    # Per request, (E2E - TTFT) / (n - 1); one-token answers have none.
    several = [r for r in good if r["tokens_out"] > 1 and "ttft" in r["timings"]]
    if several:
        times = [(r["timings"]["e2e"] - r["timings"]["ttft"]) / (r["tokens_out"] - 1) for r in several]
        found |= latency_estimates(times, mode, name="tpot", quantiles=(0.5,), blocks=_blocks(several))
    for stage in sorted({stage for record in good for stage in record["timings"]} - {"e2e", "ttft", "batch"}):
        found |= _stage(good, stage, f"stage_{stage}", mode, (0.5,), 0)
    return found | {"throughput": throughput(records, mode)}


def throughput(records: Sequence[Mapping[str, Any]], mode: str) -> Estimate:
    """Answers per second of the load's wall time.

    Its interval is that of the mean latency by Little's law (throughput = users / mean latency, so the two vary
    together), bootstrapped over requests; they share a queue, so it is a lower bound of the uncertainty.
    """
    good = [record for record in records if record["error"] is None]
    rate = len(good) / max(record["finished"] for record in records)
    if len(good) < 2:
        return Estimate(estimate=rate, low=None, high=None, n=len(good), unit="requests/s", mode=mode)
    mean = bootstrap_mean([record["timings"]["e2e"] for record in good])
    return Estimate(
        estimate=rate,
        low=rate * mean.estimate / mean.high,
        high=rate * mean.estimate / mean.low,
        n=len(good),
        unit="requests/s",
        mode=mode,
        method=f"Little's law over the {mean.method} of the mean latency",
    )


UTILISATIONS = (1.0, 0.3)
"""Shares of the time in which the machines have work: cost is shown at both, the first is quoted."""


def cost_estimates(
    price: Price, measures: Mapping[str, Estimate], rate: Estimate | None, devices: int, ran_on: str | None
) -> dict[str, list[Estimate]]:
    """``cost_per_call`` (marginal: no fixed cost) and ``cost_per_accepted_answer``, each at every utilisation.

    ``devices``: of one engine; ``ran_on``: what they were, ``cpu`` or ``gpu``; ``None`` where a server hides it.
    """
    if price.kind == "none":
        return {}
    if price.kind == "api":
        calls = [_by_tokens(price, measures)] if "tokens_in" in measures else []
    elif rate is None:
        calls = []
    elif price.device is not None and price.device != ran_on and not (ran_on is None and price.device == "gpu"):
        where = {"cpu": "a CPU", "gpu": "a GPU", None: "a server whose machine is not known"}[ran_on]
        reason = f"price={price.name} is that of a {price.device.upper()} machine, but the engine ran on {where}"
        unit = f"{price.currency} per call"
        calls = [Estimate(estimate=None, low=None, high=None, n=rate.n, unit=unit, reason=reason, mode=rate.mode)]
    else:
        calls = [
            cost_estimate(price, devices, rate, used, mode=f"{price.name} {100 * used:g} % used; {rate.mode}")
            for used in UTILISATIONS
        ]
    found = {"cost_per_call": calls} if calls else {}
    if calls and "accepted" in measures:
        found["cost_per_accepted_answer"] = [cost_per_accepted(call, measures["accepted"]) for call in calls]
    return found


def _by_tokens(price: Price, measures: Mapping[str, Estimate]) -> Estimate:
    tokens_in, tokens_out = measures["tokens_in"], measures["tokens_out"]

    def at(inward: float | None, outward: float | None) -> float | None:
        return None if inward is None or outward is None else api_cost_per_call(price, inward, outward)

    return Estimate(
        estimate=at(tokens_in.estimate, tokens_out.estimate),
        low=at(tokens_in.low, tokens_out.low),
        high=at(tokens_in.high, tokens_out.high),
        n=tokens_in.n,
        unit=f"{price.currency} per call",
        reason="no answer came, so no token was counted" if tokens_in.estimate is None else None,
        mode=f"tokens at {price.name} prices",
    )


def _stage(
    records: Sequence[Mapping[str, Any]],
    stage: str,
    name: str,
    mode: str,
    quantiles: Sequence[float],
    failures: int,
) -> dict[str, Estimate]:
    """``failures`` count as slower than every answer; a stage that a failed call never reached has none."""
    timed = [record for record in records if stage in record["timings"]]
    if not timed and not (failures and stage == "e2e"):
        return {}
    values = [record["timings"][stage] for record in timed]
    return latency_estimates(values, mode, name=name, quantiles=quantiles, blocks=_blocks(timed), failures=failures)


STRETCH = 5
"""Requests that finished one after the other: they met the same queue, so they count as one block."""


def _blocks(records: Sequence[Mapping[str, Any]]) -> list[int]:
    order = sorted(range(len(records)), key=lambda at: records[at]["finished"])
    blocks = [0] * len(records)
    for place, at in enumerate(order):
        blocks[at] = place // STRETCH
    return blocks


def report(workspace: Workspace, price: Price, margin: float | None = None) -> dict[str, Any]:
    """Write ``summary.json``, ``attribution.json`` and ``report.html``; returns the summary.

    ``margin``: the largest difference that counts as the same.
    """
    from bench.reporting.page import write_report

    manifest = workspace.read_manifest()
    causes = attribute(
        workspace.read_samples(),
        workspace.read_predictions(),
        workspace.read_scores(),
        workspace.read_verdicts(),
        frozenset(documents) if (documents := manifest.get("documents")) is not None else None,
        read_passages(workspace),
    )
    write_atomically(workspace.attribution, json.dumps(causes, indent=1) + "\n")
    summary = summarise(workspace, price, margin)
    write_atomically(workspace.summary, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    write_report(workspace.path)
    return summary


def main(arguments: list[str]) -> int:
    """``bench report RUN_DIR [price=NAME] [margin=0.05]``."""
    from bench.reporting.table import console_table

    workspace, config = open_run(arguments)
    summary = report(workspace, build(config.price), config.get("margin"))
    print(console_table(summary))
    print(workspace.path)
    return 0
