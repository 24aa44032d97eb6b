"""Measures that rest on a detector which people do not agree with: secondary, and marked so wherever they are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.journal import write_atomically
from bench.labels import Agreement
from bench.metrics.base import DECLARED, Metric
from bench.scoring import metrics_of
from bench.workspace import Workspace

DERIVED = {"cost_per_accepted_answer": "accepted"}
"""Measures that no metric scores → the one they rest on."""


def doubt(manifest: Mapping[str, Any], pairs: Sequence[Agreement]) -> str | None:
    """Why the declared detector's word is not to be taken alone; ``None`` where it may be, or nothing is asked of it.

    It is under the kappa that is asked for where its estimate is, with any of the people who labelled.
    """
    name, least = manifest.get("detector"), manifest.get("least_kappa")
    if least is None or not manifest.get("judged"):
        return None
    asked = f"detector.least_kappa={least:g} is asked for"
    against = [pair for pair in pairs if (pair.question, pair.second) == ("hallucinated", "detector")]
    known = [(pair.kappa, pair) for pair in against if pair.kappa is not None]
    if known:
        kappa, worst = min(known, key=lambda one: one[0])
        ends = "" if worst.low is None or worst.high is None else f", {worst.low:.2f} to {worst.high:.2f}"
        found = f"{name} agrees with {worst.first} at a kappa of {kappa:.2f} ({worst.n} answers{ends})"
        return f"{found}; {asked}" if kappa < least else None
    if not manifest.get("labels_needed"):
        return None
    if against:
        return f"kappa of {name} and {against[0].first} is not defined ({against[0].reason}); {asked}"
    return f"{name} was not held against people's labels (bench label); {asked}"


def mark(summary: dict[str, Any], metrics: Sequence[Metric], reason: str | None) -> dict[str, Any]:
    """The summary with ``secondary`` on what rests on the detector, and why in ``run``; without a reason, no marks."""
    resting = {metric.name for metric in metrics if getattr(metric, "detector", None) == DECLARED}
    resting |= {name for name, base in DERIVED.items() if base in resting}
    summary["run"].pop("secondary", None)
    if reason is not None:
        summary["run"]["secondary"] = reason
    for name, entry in _entries(summary):
        entry.pop("secondary", None)
        if reason is not None and name in resting:
            entry["secondary"] = True
    return summary


def _entries(summary: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every estimate, comparison and effect, with the name of its measure."""
    for system in summary["systems"].values():
        for measures in (system["measures"], *system["tasks"].values()):
            for name, found in measures.items():
                yield from ((name, estimate) for estimate in (found if isinstance(found, list) else [found]))
    yield from ((row["measure"], row) for row in summary["comparisons"])
    for name, effects in summary.get("effects", {}).items():
        for found in (effects, *effects.get("tasks", {}).values()):
            yield from ((name, effect) for key, effect in found.items() if key != "tasks")


def mark_again(workspace: Workspace, pairs: Sequence[Agreement]) -> str | None:
    """Mark a summary that is there already by the labels of now; returns the reason."""
    manifest = workspace.read_manifest()
    reason = doubt(manifest, pairs)
    metrics = list(metrics_of(manifest.get("metrics", {})).values())
    summary = mark(json.loads(workspace.summary.read_text(encoding="utf-8")), metrics, reason)
    write_atomically(workspace.summary, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    return reason
