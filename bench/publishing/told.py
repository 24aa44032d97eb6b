"""A reproduction on the terminal: a line per measure, then one word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.publishing.claim import hardware_bound
from bench.reporting.table import text_table


def table(name: str, outcome: Mapping[str, Any]) -> str:
    """``outcome``: as ``reproduced.json`` holds it."""
    lines = [f"note: {note}" for note in outcome["notes"]]
    if outcome["reasons"]:
        return "\n".join([*lines, f"{name}: {outcome['word']}: {'; '.join(outcome['reasons'])}; nothing was run"])
    rows = outcome["verdicts"]
    side = ["system, measure", *(f"{row['system']}, {row['measure']}" for row in rows)]
    columns = [
        ["published", *(_plain(row["published"]) for row in rows)],
        ["found", *(_plain(row["found"]) for row in rows)],
        ["difference (90 %)", *(_difference(row) for row in rows)],
        ["margin", *(_margin(row) for row in rows)],
        ["alike", *("" if row["alike"] is None else f"{row['alike']}/{row['n']}" for row in rows)],
        ["verdict", *(row["word"] for row in rows)],
    ]
    told = {f"{row['system']}, {row['measure']}": row["reason"] for row in rows if row["reason"]}
    sources = dict.fromkeys(row["against"] for row in rows if row["against"] != "published")
    seconds = outcome["seconds"]
    return "\n".join(
        [
            text_table(side, columns),
            "",
            *(f"– {what}: {why}" for what, why in told.items()),
            *(f"– against {source}" for source in sources),
            *lines,
            f"{name}: {outcome['word']} ({seconds['runs']:.0f} s of runs, {seconds['own']:.1f} s beside them)",
        ]
    )


def _plain(number: float | None) -> str:
    return "–" if number is None else f"{number:.4g}"


def _difference(row: Mapping[str, Any]) -> str:
    if row["difference"] is None:
        return "–"
    if row["low"] is None:
        return f"{row['difference']:+.4f}"
    return f"{row['difference']:+.4f} ({row['low']:+.3f} to {row['high']:+.3f})"


def _margin(row: Mapping[str, Any]) -> str:
    return f"±{row['margin']:.0%}" if hardware_bound(row["measure"]) else f"±{row['margin']:g}"
