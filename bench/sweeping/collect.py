"""The results of a sweep in one table: what was set, which system, every measure with its interval."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench.journal import replacing
from bench.progress import counted
from bench.sweeping.plan import Sweep
from bench.sweeping.status import Standing

FIELDS = ("mode", "estimate", "low", "high", "n", "unit")
"""Of an estimate, as in ``summary.json``; ``mode`` is the load's, where a measure has several."""
Found = tuple[str, Mapping[str, Any]]
"""A measure's name and one estimate of it."""


def collect(sweep: Sweep, found: Sequence[Standing], headline: Sequence[str]) -> str:
    """Read all finished jobs' summaries; write ``table.csv`` (a line per job, system, measure) and ``table.json``.

    Returns the headline measures as text. One summary is held at a time: thousands of them are large.
    """
    keys = list(dict.fromkeys(key for one in found for key in one.job.settings()))
    lines: list[tuple[Standing, str, dict[str, Mapping[str, Any]]]] = []
    with replacing(sweep.path / "table.csv") as rows, replacing(sweep.path / "table.json") as objects:
        writer = csv.writer(rows, lineterminator="\n")
        writer.writerow(["job", *keys, "run", "system", "measure", *FIELDS])
        objects.write(f'{{"sweep": {json.dumps(str(sweep.path))}, "jobs": [')
        for number, one in enumerate(counted("collecting", found)):
            systems = _systems(sweep, one)
            objects.write(",\n" if number else "\n")
            objects.write(json.dumps({**one.to_json(), "systems": systems}, ensure_ascii=False))
            settings = one.job.settings()
            head = [one.job.number, *(settings.get(key, "") for key in keys), f"runs/{one.job.label}"]
            for system, measures in systems.items():
                flat = list(_flat(measures))
                writer.writerows([*head, system, name, *map(estimate.get, FIELDS)] for name, estimate in flat)
                lines.append((one, system, {name: estimate for name, estimate in flat if name in headline}))
            if not systems:
                lines.append((one, f"{one.state}{f': {one.reason}' if one.reason else ''}", {}))
        objects.write("\n]}\n")
    return _text(sweep, lines, headline)


def _systems(sweep: Sweep, one: Standing) -> dict[str, Any]:
    """System → measures of a finished job."""
    if one.state != "done":
        return {}
    summary = json.loads(sweep.workspace(one.job).summary.read_text(encoding="utf-8"))
    return {name: system["measures"] for name, system in summary["systems"].items()}


def _flat(measures: Mapping[str, Any]) -> Iterator[Found]:
    """Every measure with its estimate; several times where it was taken in several modes."""
    for measure, found in measures.items():
        for estimate in found if isinstance(found, list) else [found]:
            yield measure, estimate


def _text(
    sweep: Sweep, found: Iterable[tuple[Standing, str, dict[str, Mapping[str, Any]]]], headline: Sequence[str]
) -> str:
    """A line per job and system."""
    varied = sweep.varied()
    found = list(found)
    shown = [name for name in headline if any(name in measures for _, _, measures in found)]
    lines = [("job", *varied, "system", *shown)]
    for one, system, measures in found:
        settings = one.job.settings()
        head = (str(one.job.number), *(settings.get(key, "") for key in varied))
        lines.append((*head, system, *(_interval(measures.get(name)) if measures else "" for name in shown)))
    # A long reason for having no numbers widens no column.
    widths = [max(len(line[at]) for line in lines if line[-1] or not shown) for at in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _interval(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None or estimate["estimate"] is None:
        return "–"
    if estimate["low"] is None or estimate["high"] is None:
        return f"{estimate['estimate']:.3f}"
    return f"{estimate['estimate']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
