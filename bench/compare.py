"""``bench compare``: paired comparisons of systems, within a run, across runs, or of scores made elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.aggregate import comparisons, partial_suites
from bench.journal import write_atomically
from bench.pool import Pool, check_shared, merge
from bench.progress import say
from bench.report import HEADLINE
from bench.score_files import LARGEST, SUFFIXES, read_scores
from bench.scoring import pool_of
from bench.workspace import Workspace
from systems.base import UserError

OPTIONS = ("measures", "bounds", "margin", "out")


def read_pool(place: Path, bounds: tuple[float, float] | None = None) -> Pool:
    """A run's directory, or a file of scores, which lie within ``bounds``."""
    if place.suffix in SUFFIXES and not place.is_dir():
        if not place.is_file():
            raise UserError(f"{place}: no such file")
        return read_scores(place, bounds)
    workspace = Workspace(place)
    manifest = workspace.run_manifest()
    if not manifest:
        raise UserError(
            f"{place}: neither a run directory (manifest.json is missing) nor a {' or '.join(SUFFIXES)} file"
        )
    if bounds is not None:
        raise UserError(f"bounds: are for a file of scores; the measures of {place} have their own")
    return pool_of(workspace, manifest)


def compare(
    places: Sequence[Path],
    measures: Sequence[str] = (),
    bounds: tuple[float, float] | None = None,
    margin: float | None = None,
) -> dict[str, Any]:
    """All pairs of systems on the samples both answered, Holm-adjusted within a measure and task.

    ``bounds``: the least and the greatest score possible in a file. Without them scores that are all 0 or 1 are right
    or wrong, and others are unbounded: where these show no spread they have no interval.
    ``margin``: differences up to it count as the same.
    """
    names = [place.resolve().name for place in places]
    if len(set(names)) < len(names):  # two directories may end alike
        names = [str(place) for place in places]
    if len(set(names)) < len(names):
        raise UserError(f"{places[0]}: is named twice")
    pool = merge({name: read_pool(place, bounds) for name, place in zip(names, places, strict=True)})
    notes = check_shared(pool)
    known = {metric.name: metric for metric in pool.metrics}
    for name in measures:
        if name not in known:
            raise UserError(f"measures={name}: not measured there; there are: {', '.join(sorted(known))}")
    chosen = [known[name] for name in measures] or [metric for name, metric in known.items() if name in HEADLINE]
    chosen = chosen or list(known.values())
    notes += partial_suites(pool.samples, pool.predictions, pool.scores, chosen)
    rows = comparisons(pool.samples, pool.predictions, pool.scores, chosen, tokens=False, margin=margin)
    return {"sources": [str(place) for place in places], "notes": notes, "comparisons": rows}


def table(result: dict[str, Any]) -> str:
    """The comparisons as text: a line per pair."""
    lines: list[tuple[str, ...]] = [
        ("measure", "task", "a", "b", "a - b", "95 %", "only a", "only b", "p", "p Holm", "MDE", "same", "n"),
    ]
    for row in result["comparisons"]:
        only = row.get("discordant", ("", ""))
        lines.append(
            (
                *(row["measure"], row["task"], row["a"], row["b"], _signed(row["difference"])),
                f"{_signed(row['low'])} to {_signed(row['high'])}",
                *(str(count) for count in only),
                *(_small(row["p_value"]), _small(row["p_holm"]), _small(row["mde"]), _same(row), str(row["n"])),
            )
        )
    if not any("equivalence" in row for row in result["comparisons"]):
        lines = [(*line[:-2], line[-1]) for line in lines]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join(
        ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
        + [f"– {reason}" for reason in dict.fromkeys(_reasons(result["comparisons"]))]
    )


def _reasons(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Why numbers are missing."""
    for row in rows:
        if row["low"] is None:
            yield f"{row['task']}: {row['method']}"
        if "mde_reason" in row:
            yield f"{row['task']}: no MDE: {row['mde_reason']}"


def _same(row: dict[str, Any]) -> str:
    """Whether two systems are the same within the margin."""
    found = row.get("equivalence")
    return "" if found is None else ("yes" if found["equivalent"] else "not shown") + f" ±{found['margin']:g}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _small(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _bounds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    found = [_number(part) for part in text.split(",")]
    if len(found) != 2 or not -LARGEST <= found[0] < found[1] <= LARGEST:
        raise UserError(f"bounds={text}: must be the least and the greatest score possible, as bounds=0,1")
    return found[0], found[1]


def _margin(text: str | None) -> float | None:
    if text is None:
        return None
    if not 0 < (found := _number(text)) < math.inf:
        raise UserError(f"margin={text}: must be a number above 0, the largest difference that counts as the same")
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def main(arguments: list[str]) -> int:
    """``bench compare RUN [RUN ...]`` or ``bench compare FILE.csv [--json] [measures=accuracy,...] [out=FILE]``.

    ``bounds=0,1``: what a score in a file can be. ``margin=0.05``: what difference still counts as the same.
    """
    flags = {argument for argument in arguments if argument.startswith("--")}
    for flag in flags - {"--json"}:
        raise UserError(f"{flag}: no such flag here; there are --json and --traceback")
    given = [argument for argument in arguments if "=" in argument and not Path(argument).exists()]
    options = dict(argument.split("=", 1) for argument in given)
    for key in options:
        if key not in OPTIONS:
            raise UserError(f"{key}: no such setting here; there are: {', '.join(OPTIONS)}")
    places = [Path(one) for one in arguments if one not in flags and one not in given]
    if not places:
        raise UserError("give one or more run directories, or a .csv or .jsonl file of scores")
    measures = [name for name in options.get("measures", "").split(",") if name]
    result = compare(places, measures, _bounds(options.get("bounds")), _margin(options.get("margin")))
    for note in result["notes"]:
        say(note)
    text = json.dumps(result, ensure_ascii=False)
    if "out" in options:
        write_atomically(Path(options["out"]), text + "\n")
    print(text if "--json" in flags else table(result))
    return 0
