"""``bench report``: scores to estimates, comparisons and effects; then ``summary.json`` and ``report.html``."""

from __future__ import annotations

import json
from typing import Any

from bench.aggregate import SystemEstimates, comparisons, effects, estimates, partial_suites
from bench.attribution import attribute
from bench.config import build
from bench.consistency import agreement
from bench.controls import read_controls
from bench.costs.account import engine_machine
from bench.costs.estimates import cost_estimates
from bench.costs.file import write_account
from bench.costs.price import Price
from bench.diagnosis import diagnose
from bench.gate import gate
from bench.generate import read_passages
from bench.heap import uncollected
from bench.journal import read, write_atomically
from bench.labels import write_agreement
from bench.loading.measured import Whole
from bench.loading.measures import blocks_spread, load_measures
from bench.pool import Pool
from bench.refresh import refresh
from bench.reporting.measures import listed
from bench.scoring import open_run, pool_of
from bench.secondary import doubt, mark
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


def summarise(workspace: Workspace, pool: Pool, price: Price, margin: float | None = None) -> dict[str, Any]:
    """Everything ``summary.json`` says, from the run's files alone.

    ``pool``: what these hold of samples, answers and scores. ``margin``: differences that count as the same.
    """
    manifest = workspace.read_manifest()
    samples, predictions, scores, metrics = pool.samples, pool.predictions, pool.scores, list(pool.metrics)
    whole = Whole(read(workspace.load))
    loads = load_measures(whole, build(manifest["config"]["load"])) if whole.cells() else {}
    machine = engine_machine(manifest)
    systems: dict[str, Any] = {}
    estimated = estimates(samples, predictions, scores, metrics)
    unasked = SystemEstimates({}, {})  # of a run that was loaded and nothing else
    for name in [name for name in manifest["systems"] if name in estimated or name in loads]:
        found = estimated.get(name, unasked)
        systems[name] = found.to_json()
        loaded = loads.get(name, {})
        further = {**loaded, **cost_estimates(price, machine, {**found.measures, **loaded})}
        systems[name]["measures"] |= {measure: [one.to_json() for one in modes] for measure, modes in further.items()}
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
            "findings": [
                *stopped_load(whole),
                *manifest.get("findings", []),
                *({"level": "note", "text": text} for text in partial),
            ],
        },
        "planned": manifest["planned"],
        "completed": len(predictions),
        "systems": systems,
        "comparisons": comparisons(samples, predictions, scores, headline, list(systems), margin=margin),
        "effects": effects(samples, predictions, scores, headline, interaction=shared) if fair else {},
        "gate": {
            system: gate(estimated[system].tasks)
            for system in estimated
            if any(one.retrieves for one in predictions if one.system == system)
        },
        "counterfactuals": diagnose(samples, scores, read(workspace.counterfactuals), read_passages(workspace)),
        "load": list(blocks_spread(whole)),
        "refresh": refresh(manifest, {name: entry["measures"] for name, entry in systems.items()}, price),
        "variants": agreement(samples, predictions, manifest.get("variants", {})),
    }
    return mark(summary, metrics, doubt(manifest, write_agreement(workspace)))


def stopped_load(whole: Whole) -> list[dict[str, str]]:
    """That a load was stopped before its end; answers that lack are told by their number."""
    cut = whole.cut_short()
    if not cut:
        return []
    where = f"{cut[-1].system}, {cut[-1].mode}"
    text = (
        f"partial result: the load was stopped in {where}; {len(whole.cells())} whole blocks count, that one does not"
    )
    return [{"level": "warning", "text": text}]


@uncollected()
def report(workspace: Workspace, price: Price, margin: float | None = None) -> dict[str, Any]:
    """Write ``summary.json``, ``attribution.json`` and ``report.html``; returns the summary.

    ``margin``: the largest difference that counts as the same.
    """
    from bench.reporting.page import write_report

    manifest = workspace.read_manifest()
    pool = pool_of(workspace, manifest)
    causes = attribute(
        pool.samples,
        pool.predictions,
        pool.scores,
        workspace.read_verdicts(),
        frozenset(documents) if (documents := manifest.get("documents")) is not None else None,
        read_passages(workspace),
    )
    write_atomically(workspace.attribution, json.dumps(causes, indent=1) + "\n")
    summary = summarise(workspace, pool, price, margin)
    write_atomically(workspace.summary, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    if price.kind == "none":
        workspace.cost.unlink(missing_ok=True)
    else:
        write_account(workspace, summary, price)
    del pool, causes  # the page reads what it shows by itself
    write_report(workspace.path)
    return summary


def main(arguments: list[str]) -> int:
    """``bench report RUN_DIR [price=NAME] [margin=0.05]``."""
    from bench.reporting.table import console_table

    workspace, config = open_run(arguments)
    summary = report(workspace, build(config.price), config.get("margin"))
    print(console_table(summary))
    print(f"report: {workspace.path / 'report.html'}")
    print(workspace.path)
    return 0
