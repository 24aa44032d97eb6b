"""A run on the terminal: systems by main measures, with intervals, in under 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from bench.reporting import claims, numbers
from bench.reporting.counterfactuals import counterfactual_rows
from bench.reporting.facts import stand_in
from bench.reporting.gate import WORDS, gates
from bench.reporting.measures import measure, ordered, primary, quoted
from bench.reporting.rows import Group, by_mode
from bench.reporting.verdicts import verdict

WIDTH = 98
MAIN = ("format_adherence", "stale_rate", "leak_rate", "latency_e2e_p50", "cost_per_call")
OF_A_LOAD = ("latency_e2e_p50", "latency_e2e_p99", "ttft_p50", "throughput", "goodput", "error_rate", "timeout_rate")
HALLUCINATION = ("hallucination_rate", "unfaithful_rate")
"""The first that has a number: many detectors know the passages, and not what is so."""


def console_table(summary: Mapping[str, Any]) -> str:
    """The headline and a table; ``*`` marks what is shown best after Holm. Wide runs continue in a second block."""
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    lead = primary(*measured.values())
    judged = next((n for n in HALLUCINATION if any(_has_number(m, n) for m in measured.values())), HALLUCINATION[0])
    wanted = {*MAIN, judged, *([lead] if lead else [])}
    names = [n for n in ordered(wanted) if any(n in m for m in measured.values())]
    columns = [_column(summary, measured, name) for name in names]
    marked = any(cell.endswith("*") for column in columns for cell in column)
    legend = "\n* shown better than every other system (paired, Holm-adjusted, 5 %)" if marked else ""
    if any("(secondary)" in column[0] for column in columns):
        legend += "\n" + textwrap.fill(f"(secondary): {summary['run']['secondary']}", WIDTH)
    told = textwrap.fill(claims.headline(summary), WIDTH)
    if (stands := stand_in(summary["run"]["engine"], summary["run"]["model"])) is not None:
        legend += "\n" + textwrap.fill(stands, WIDTH)
    parts = [f"{told}\n\n{text_table(['', *measured], columns)}{legend}", *_gate(summary), *_counterfactuals(summary)]
    return "\n\n".join(parts).replace(numbers.SPACE, " ")


def load_table(summary: Mapping[str, Any]) -> str:
    """What a load measured, a table for each way it was done."""
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    told = [groups_table(by_mode(measured, OF_A_LOAD), list(measured))]
    if (stands := stand_in(summary["run"]["engine"], summary["run"]["model"])) is not None:
        told.append(textwrap.fill(stands, WIDTH))
    return "\n\n".join(told).replace(numbers.SPACE, " ")


def groups_table(groups: Sequence[Group], systems: Sequence[str]) -> str:
    """Measures by systems, a table for each mode, and why what has no number has none."""
    parts: list[str] = []
    reasons: dict[str, None] = {}
    for group in groups:
        columns = []
        for one in group.rows:
            cells = [f"{cell.value} ({cell.interval})" if cell.interval else cell.value for cell in one.cells]
            columns.append([one.label, *cells])
            reasons |= dict.fromkeys(f"{one.label}: {cell.reason}" for cell in one.cells if cell.reason)
        parts.append(f"{textwrap.fill(group.mode, WIDTH)}\n\n{text_table(['', *systems], columns)}".strip())
    if reasons:
        parts.append("\n".join(textwrap.fill(f"Without a number: {reason}", WIDTH) for reason in reasons))
    return "\n\n".join(part for part in parts if part)


def text_table(side: Sequence[str], columns: Sequence[list[str]]) -> str:
    """Lines of a table, each column to its own width; what does not fit goes into a second block."""
    blocks = []
    for part in _fitting(columns, max(map(len, side))):
        widths = [max(map(len, column)) for column in part]
        lines = [
            "  ".join(
                [
                    side[i].ljust(max(map(len, side))),
                    *(column[i].ljust(w) for column, w in zip(part, widths, strict=True)),
                ]
            )
            for i in range(len(side))
        ]
        rule = "─" * max(map(len, lines))
        blocks.append("\n".join(line.rstrip() for line in [lines[0], rule, *lines[1:]]))
    return "\n\n".join(blocks)


def _gate(summary: Mapping[str, Any]) -> list[str]:
    """Systems by tasks; those of which nobody labelled what is relevant are left to the page."""
    found = [gate for gate in gates(summary) if gate.interval]
    systems, tasks = (list(dict.fromkeys(names)) for names in ([g.system for g in found], [g.task for g in found]))
    cells = {(gate.system, gate.task): f"{gate.verdict}: {gate.success} ({gate.interval})" for gate in found}
    columns = [[task, *(cells.get((system, task), "") for system in systems)] for task in tasks]
    return [f"Gate before a model is blamed: {WORDS}\n\n{text_table(['', *systems], columns)}"] if found else []


def _counterfactuals(summary: Mapping[str, Any]) -> list[str]:
    found = [row for row in counterfactual_rows(summary) if not row.task]
    columns = [
        ["wrong", *(str(row.wrong) for row in found)],
        ["asked again", *(str(row.asked) for row in found)],
        ["right with oracle context", *(row.retrieval_share for row in found)],
        ["still wrong", *(str(row.model) for row in found)],
        ["right closed book", *(row.closed_book_share for row in found)],
    ]
    title = "Wrong answers asked again, with the relevant chunks alone and with no passage"
    return [f"{title}\n\n{text_table(['', *(row.system for row in found)], columns)}"] if found else []


def _has_number(measures: Mapping[str, Any], name: str) -> bool:
    found = quoted(measures, name)
    return found is not None and found["estimate"] is not None


def _column(summary: Mapping[str, Any], measured: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    told = verdict(measured, summary["comparisons"], name)
    secondary = any((found := quoted(one, name)) is not None and found.get("secondary") for one in measured.values())
    label = measure(name).label if not name.endswith("_p50") else "median latency"
    cells = [f"{label} (secondary)" if secondary else label]
    for system, measures in measured.items():
        mark = "*" if told and told.best == system else ""
        cells.append(numbers.with_interval(quoted(measures, name)) + mark)
    return cells


def _fitting(columns: Sequence[list[str]], side: int) -> list[list[list[str]]]:
    """The columns in blocks of at most ``WIDTH`` characters."""
    blocks: list[list[list[str]]] = [[]]
    room = WIDTH - side
    for column in columns:
        width = 2 + max(map(len, column))
        if blocks[-1] and width > room:
            blocks.append([])
            room = WIDTH - side
        blocks[-1].append(column)
        room -= width
    return blocks
