"""The results of a sweep in one table: what was set, which system, every measure with its interval."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.journal import replacing, write_atomically
from bench.progress import counted
from bench.sweeping.plan import Sweep
from bench.sweeping.status import Standing

FIELDS = ("measure", "mode", "estimate", "low", "high", "n", "unit")
"""Columns after those of the job: as in ``summary.json``; ``mode`` is the load's, where a measure has several."""


def collect(sweep: Sweep, found: Sequence[Standing]) -> dict[str, Any]:
    """Read all finished jobs' summaries; write ``table.csv`` (a line per job, system, measure) and ``table.json``."""
    jobs = [{**one.to_json(), "systems": _systems(sweep, one)} for one in counted("collecting", found)]
    result = {"sweep": str(sweep.path), "jobs": jobs}
    write_atomically(sweep.path / "table.json", json.dumps(result, ensure_ascii=False) + "\n")
    keys = list(dict.fromkeys(key for one in found for key in one.job.settings()))
    with replacing(sweep.path / "table.csv") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["job", *keys, "run", "system", *FIELDS])
        for one, job in zip(found, jobs, strict=True):
            settings = one.job.settings()
            head = [one.job.number, *(settings.get(key, "") for key in keys), f"runs/{one.job.label}"]
            for system, measures in job["systems"].items():
                for measure, estimate in estimates(measures):
                    row = {**estimate, "measure": measure}
                    writer.writerow([*head, system, *(row.get(name, "") for name in FIELDS)])
    return result


def _systems(sweep: Sweep, one: Standing) -> dict[str, Any]:
    """System → measures of a finished job."""
    if one.state != "done":
        return {}
    summary = json.loads(sweep.workspace(one.job).summary.read_text(encoding="utf-8"))
    return {name: system["measures"] for name, system in summary["systems"].items()}


def estimates(measures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every measure with its estimate; several times where it was taken in several modes."""
    for measure, found in measures.items():
        for estimate in found if isinstance(found, list) else [found]:
            yield measure, estimate


def collected_table(sweep: Sweep, result: Mapping[str, Any], headline: Sequence[str]) -> str:
    """The headline measures as text: a line per job and system."""
    varied = sweep.varied()
    known = {name for job in result["jobs"] for measures in job["systems"].values() for name, _ in estimates(measures)}
    shown = [name for name in headline if name in known]
    lines = [("job", *varied, "system", *shown)]
    for job, planned in zip(result["jobs"], sweep.jobs, strict=True):
        settings = planned.settings()
        head = (str(planned.number), *(settings.get(key, "") for key in varied))
        for system, measures in job["systems"].items():
            found = dict(estimates(measures))
            lines.append((*head, system, *(_interval(found.get(name)) for name in shown)))
        if not job["systems"]:
            reason = f": {job['reason']}" if job["reason"] else ""
            lines.append((*head, f"{job['state']}{reason}", *("" for _ in shown)))
    widths = [max(len(line[at]) for line in lines if len(line[at]) < 60) for at in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _interval(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None or estimate["estimate"] is None:
        return "–"
    if estimate["low"] is None or estimate["high"] is None:
        return f"{estimate['estimate']:.3f}"
    return f"{estimate['estimate']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
