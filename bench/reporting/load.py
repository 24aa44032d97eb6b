"""What a run took of its machine as table rows: the blocks of its load, and how far they agree; its stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting import numbers


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the machine did; finished words, empty where nobody can tell."""

    cpu: str
    """Processor time by process."""
    memory: str
    """Peak resident memory, MiB, by process."""
    others: str
    """Share of the processors that others were using, at most."""
    gpu: str
    """Peak memory of the GPUs, MiB, what of it this run's processes had, and how busy they were."""
    energy: str
    """Joules by what used them."""


@dataclass(frozen=True, kw_only=True)
class LoadRow:
    """A system under one condition; finished words. Processor time and energy are those of a request."""

    system: str
    mode: str
    blocks: int
    requests: int
    medians: str
    """Lowest and highest median latency of the blocks."""
    stages: str
    """Processor milliseconds per request of the stages that run in the harness."""
    account: Account


@dataclass(frozen=True, kw_only=True)
class StageRow:
    """A stage of the run; its processor time and energy are those of all of it."""

    name: str
    seconds: float
    account: Account


def load_rows(summary: Mapping[str, Any]) -> list[LoadRow]:
    """A row per system and mode, searches for goodput left out; none where nothing was loaded."""
    cells: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for block in summary.get("load") or ():
        if not block["search"]:
            cells.setdefault((block["mode"], block["system"]), []).append(block)
    return [_row(system, mode, blocks) for (mode, system), blocks in cells.items()]


def stage_rows(manifest: Mapping[str, Any]) -> list[StageRow]:
    """A row per stage that the run's last start went through."""
    return [
        StageRow(name=name, seconds=float(usage["seconds"]), account=_account([usage], 1, "s"))
        for name, usage in (manifest.get("usage") or {}).items()
    ]


def _row(system: str, mode: str, blocks: list[Mapping[str, Any]]) -> LoadRow:
    # Summaries of before say how many were measured alone.
    asked = sum(block.get("asked", block["requests"]) for block in blocks)
    medians = [1000 * block["p50"] for block in blocks if block["p50"] is not None]
    worked = [block.get("stage_cpu_seconds", {}) for block in blocks]
    stages = {
        stage: None if any(one.get(stage) is None for one in worked) else sum(one[stage] for one in worked) / asked
        for stage in dict.fromkeys(stage for one in worked for stage in one)
    }
    return LoadRow(
        system=system,
        mode=mode,
        blocks=len(blocks),
        requests=sum(block["requests"] for block in blocks),
        medians=" to ".join(f"{value:,.0f}" for value in sorted({min(medians), max(medians)})) if medians else "",
        stages=", ".join(
            f"{stage} {'not told' if value is None else f'{1000 * value:,.2f}'}" for stage, value in stages.items()
        ),
        account=_account([block["machine"] for block in blocks], asked, "ms"),
    )


def _account(machines: Iterable[Mapping[str, Any]], over: int, unit: str) -> Account:
    """Of several stretches of time: processor time and energy added up, ``over`` requests; the rest at its highest."""
    machines = list(machines)
    seconds = _by_name(machines, "cpu_seconds", sum)
    joules = _by_name(machines, "joules", sum)
    scale, digits = (1000, 0) if unit == "ms" else (1, 1)
    busy = [machine["gpu_utilisation"] for machine in machines if "gpu_utilisation" in machine]
    memory = [machine["gpu_memory_mib"] for machine in machines if "gpu_memory_mib" in machine]
    own = _words(_by_name(machines, "gpu_process_memory_mib", max))
    others = max((machine.get("other_cpu_share", 0.0) for machine in machines), default=0.0)
    return Account(
        cpu=_words({name: scale * value / over for name, value in seconds.items()}, digits) if over else "",
        memory=_words(_by_name(machines, "peak_memory_mib", max)),
        others=numbers.value({"estimate": others, "unit": "share"}),
        gpu="; ".join(
            [
                *([f"{max(memory):,.0f} ({own or 'own processes not told'})"] if memory else []),
                *([f"{numbers.value({'estimate': sum(busy) / len(busy), 'unit': 'share'})} busy"] if busy else []),
            ]
        ),
        energy=_words({name: value / over for name, value in joules.items()}, 1) if over else "",
    )


def _by_name(machines: Iterable[Mapping[str, Any]], key: str, fold: Any) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for machine in machines:
        for name, value in machine.get(key, {}).items():
            found.setdefault(name, []).append(value)
    return {name: fold(values) for name, values in found.items()}


def _words(values: Mapping[str, float], digits: int = 0) -> str:
    return ", ".join(f"{name} {value:,.{digits}f}" for name, value in values.items())
