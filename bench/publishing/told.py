"""A reproduction on the terminal: a line per measure, then one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.publishing.claim import in_words
from bench.publishing.verdicts import OURS
from bench.reporting.table import text_table


def table(name: str, outcome: Mapping[str, Any]) -> str:
    """``outcome``: as ``reproduced.json`` holds it."""
    lines = [f"note: {note}" for note in outcome["notes"]]
    if outcome["reasons"]:
        return "\n".join([*lines, f"{name}: {outcome['word']}, nothing was run: {'; '.join(outcome['reasons'])}"])
    rows = outcome["verdicts"]
    sources = list(dict.fromkeys(row["against"] for row in rows if row["against"] != OURS))
    named = [_named(row, sources) for row in rows]
    side = ["system, measure", *named]
    columns = [
        ["published", *(_plain(row["published"]) for row in rows)],
        ["found", *(_plain(row["found"]) for row in rows)],
        ["difference (90 %)", *(_difference(row) for row in rows)],
        ["margin", *(in_words(row["measure"], row["margin"]) for row in rows)],
        ["alike", *("" if row["alike"] is None else f"{row['alike']}/{row['n']}" for row in rows)],
        ["verdict", *(row["word"] for row in rows)],
    ]
    told = {name: row["reason"] for name, row in zip(named, rows, strict=True) if row["reason"]}
    seconds = outcome["seconds"]
    return "\n".join(
        [
            text_table(side, columns),
            "",
            *(f"– {what}: {why}" for what, why in told.items()),
            *(f"[{at}] {source}" for at, source in enumerate(sources, 1)),
            *lines,
            f"{name}: {outcome['word']} ({seconds['runs']:.0f} s of runs, {seconds['own']:.1f} s beside them)",
        ]
    )


def _named(row: Mapping[str, Any], sources: Sequence[str]) -> str:
    """``rag, accuracy``; of a figure that somebody else published, with the number of its source."""
    of = "" if row["against"] == OURS else f" [{sources.index(row['against']) + 1}]"
    return f"{row['system']}, {row['measure']}{of}"


def _plain(number: float | None) -> str:
    return "–" if number is None else f"{number:.4g}"


def _difference(row: Mapping[str, Any]) -> str:
    if row["difference"] is None:
        return "–"
    number = f"{round(row['difference'], 4) + 0.0:+.4f}"  # no minus before a zero
    return number if row["low"] is None else f"{number} ({row['low']:+.3f} to {row['high']:+.3f})"
