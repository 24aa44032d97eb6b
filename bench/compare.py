"""``bench compare``: paired comparisons of systems, within a run, across runs, or of scores made elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.aggregate import comparisons
from bench.journal import write_atomically
from bench.pool import Pool, check_shared, merge
from bench.progress import say
from bench.report import HEADLINE
from bench.score_files import SUFFIXES, read_scores
from bench.scoring import metrics_of
from bench.workspace import Workspace
from systems.base import UserError

OPTIONS = ("measures", "out")


def read_pool(place: Path) -> Pool:
    """A run's directory, or a file of scores."""
    if place.suffix in SUFFIXES and not place.is_dir():
        if not place.is_file():
            raise UserError(f"{place}: no such file")
        return read_scores(place)
    workspace = Workspace(place)
    manifest = workspace.run_manifest()
    if not manifest:
        raise UserError(
            f"{place}: neither a run directory (manifest.json is missing) nor a {' or '.join(SUFFIXES)} file"
        )
    metrics = tuple(metrics_of(manifest["metrics"]).values())
    return Pool(
        tuple(workspace.read_samples()),
        tuple(workspace.read_predictions()),
        tuple(workspace.read_scores()),
        metrics,
    )


def compare(places: Sequence[Path], measures: Sequence[str] = ()) -> dict[str, Any]:
    """All pairs of systems on the samples both answered, Holm-adjusted within a measure and task."""
    names = [place.resolve().name for place in places]
    if len(set(names)) < len(names):  # two directories may end alike
        names = [str(place) for place in places]
    if len(set(names)) < len(names):
        raise UserError(f"{places[0]}: is named twice")
    pool = merge(dict(zip(names, map(read_pool, places), strict=True)))
    notes = check_shared(pool)
    known = {metric.name: metric for metric in pool.metrics}
    for name in measures:
        if name not in known:
            raise UserError(f"measures={name}: not measured there; there are: {', '.join(sorted(known))}")
    chosen = [known[name] for name in measures] or [metric for name, metric in known.items() if name in HEADLINE]
    chosen = chosen or list(known.values())
    rows = comparisons(pool.samples, pool.predictions, pool.scores, chosen, tokens=False)
    return {"sources": [str(place) for place in places], "notes": notes, "comparisons": rows}


def table(result: dict[str, Any]) -> str:
    """The comparisons as text: a line per pair."""
    lines = [
        ("measure", "task", "a", "b", "a - b", "95 %", "only a", "only b", "p", "p Holm", "MDE", "n"),
    ]
    for row in result["comparisons"]:
        only = row.get("discordant", ("", ""))
        lines.append(
            (
                *(row["measure"], row["task"], row["a"], row["b"], _signed(row["difference"])),
                f"{_signed(row['low'])} to {_signed(row['high'])}",
                *(str(count) for count in only),
                *(_small(row["p_value"]), _small(row["p_holm"]), _small(row["mde"]), str(row["n"])),
            )
        )
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _small(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def main(arguments: list[str]) -> int:
    """``bench compare RUN [RUN ...]`` or ``bench compare FILE.csv [--json] [measures=accuracy,...] [out=FILE]``."""
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
    result = compare(places, [name for name in options.get("measures", "").split(",") if name])
    for note in result["notes"]:
        say(note)
    text = json.dumps(result, ensure_ascii=False)
    if "out" in options:
        write_atomically(Path(options["out"]), text + "\n")
    print(text if "--json" in flags else table(result))
    return 0
