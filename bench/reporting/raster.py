"""The figures of a run as one PNG, for trackers that take no SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.records import INVALID
from bench.reporting import numbers
from bench.reporting.measures import measure, primary, quoted
from bench.reporting.svg import HUES, slot
from systems.base import Failure


def png(summary: Mapping[str, Any], path: Path) -> Path:
    """Writes quality by system, and quality against median latency, side by side. Needs matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Failure("figures as PNG need matplotlib: pip install matplotlib") from None
    systems = list(summary["systems"])
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    name = primary(*measured.values()) or "accuracy"
    figure = Figure(figsize=(9, 3.6), dpi=150, layout="constrained")
    bars, scatter = figure.subplots(1, 2, sharey=False)
    for row, system in enumerate(systems):
        quality, latency = quoted(measured[system], name), quoted(measured[system], "latency_e2e_p50")
        hue = HUES[slot(system, systems)]
        if quality is None or quality["estimate"] is None:
            continue
        bars.errorbar(quality["estimate"], row, xerr=_error(quality), fmt="o", color=hue, capsize=0)
        bars.annotate(
            numbers.with_interval(quality),
            (quality["estimate"], row),
            (0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
        if latency is not None and latency["estimate"] is not None:
            scatter.errorbar(
                latency["estimate"],
                quality["estimate"],
                xerr=_error(latency),
                yerr=_error(quality),
                fmt="o",
                color=hue,
                fillstyle="none" if numbers.invalid(latency) else "full",
                capsize=0,
            )
            told = f"{system}, {INVALID}" if numbers.invalid(latency) else system
            scatter.annotate(
                told, (latency["estimate"], quality["estimate"]), (6, 5), textcoords="offset points", fontsize=9
            )
    bars.set(
        yticks=range(len(systems)),
        yticklabels=systems,
        xlabel=measure(name).label,
        xlim=(0, 1),
        ylim=(len(systems) - 0.4, -0.6),
    )
    scatter.set(xlabel="median end-to-end latency, s", ylabel=measure(name).label, ylim=(0, 1))
    scatter.set_xlim(left=0)
    for axes in (bars, scatter):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)
    return path


def _error(estimate: Mapping[str, Any]) -> list[list[float]] | None:
    """Distances to the ends of the interval, as matplotlib wants them."""
    if estimate["low"] is None or estimate["high"] is None:
        return None
    return [[max(estimate["estimate"] - estimate["low"], 0)], [max(estimate["high"] - estimate["estimate"], 0)]]
