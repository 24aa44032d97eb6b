"""The blocks of a load as table rows: how far repeats agree, and what the machine did meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting import numbers


@dataclass(frozen=True, kw_only=True)
class LoadRow:
    """A system under one condition; finished words."""

    system: str
    mode: str
    blocks: int
    requests: int
    medians: str
    """Lowest and highest median latency of the blocks."""
    cpu: str
    """Processor seconds per request, by process."""
    memory: str
    """Peak resident memory, MiB, by process."""
    others: str
    """Share of the processors that others were using, at most."""
    gpu: str


def load_rows(summary: Mapping[str, Any]) -> list[LoadRow]:
    """A row per system and mode, searches for goodput left out; none where nothing was loaded."""
    cells: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for block in summary.get("load") or ():
        if not block["search"]:
            cells.setdefault((block["mode"], block["system"]), []).append(block)
    return [_row(system, mode, blocks) for (mode, system), blocks in cells.items()]


def _row(system: str, mode: str, blocks: list[Mapping[str, Any]]) -> LoadRow:
    machines = [block["machine"] for block in blocks]
    requests = sum(block["requests"] for block in blocks)
    medians = [block["p50"] for block in blocks if block["p50"] is not None]
    seconds: dict[str, float] = {}
    memory: dict[str, float] = {}
    for machine in machines:
        for name, value in machine.get("cpu_seconds", {}).items():
            seconds[name] = seconds.get(name, 0.0) + value
        for name, value in machine.get("peak_memory_mib", {}).items():
            memory[name] = max(value, memory.get(name, 0.0))
    gpu = max((machine["gpu_memory_mib"] for machine in machines if "gpu_memory_mib" in machine), default=None)
    return LoadRow(
        system=system,
        mode=mode,
        blocks=len(blocks),
        requests=requests,
        medians=" to ".join(f"{1000 * value:,.0f}" for value in sorted({min(medians), max(medians)}))
        if medians
        else "",
        cpu=", ".join(f"{name} {1000 * value / requests:,.0f}" for name, value in seconds.items() if requests),
        memory=", ".join(f"{name} {value:,.0f}" for name, value in memory.items()),
        others=numbers.value(
            {
                "estimate": max((machine.get("other_cpu_share", 0.0) for machine in machines), default=0.0),
                "unit": "share",
            }
        ),
        gpu="" if gpu is None else f"{gpu:,.0f}",
    )
