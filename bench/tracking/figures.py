"""The pictures of a run for W&B: the grid, quality against latency and cost with its Pareto front, the load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.records import INVALID
from bench.reporting.measures import measure, modes, primary, quoted
from bench.reporting.pareto import front, invalid
from bench.reporting.raster import png
from bench.reporting.svg import HUES, slot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PERCENTILES = (50, 90, 95, 99)
LARGEST = 600
"""Area of the disc of the dearest system, in square points."""


def draw(summary: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Name → PNG under ``folder``; a picture without anything to show is left out. Raises ``Failure`` without
    matplotlib."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {"grid": png(summary, folder / "grid.png")}
    for name, make in (("pareto", _pareto), ("load", _load)):
        figure = make(summary)
        if figure is not None:
            found[name] = folder / f"{name}.png"
            figure.savefig(found[name])
    return found


def _pareto(summary: Mapping[str, Any]) -> Figure | None:
    """Quality over median latency, discs by cost per call, the systems of the front joined."""
    from matplotlib.figure import Figure

    systems = list(summary["systems"])
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    lead = primary(*measured.values())
    if lead is None:
        return None
    places: dict[str, tuple[float, float, float]] = {}
    for system, measures in measured.items():
        values = [quoted(measures, name) for name in (lead, "latency_e2e_p50", "cost_per_call")]
        quality, latency, cost = (one["estimate"] if one else None for one in values)
        if quality is not None and latency is not None:
            places[system] = latency, quality, cost or 0.0
    if not places:
        return None
    figure = Figure(figsize=(6, 4), dpi=150, layout="constrained")
    axes = figure.subplots()
    line = sorted(places[system][:2] for system in front(summary))
    axes.plot([x for x, _ in line], [y for _, y in line], color="0.7", linewidth=1, zorder=1)
    dearest = max(cost for *_, cost in places.values())
    for system, (latency, quality, cost) in places.items():
        hue = HUES[slot(system, systems)]
        late = invalid(measured[system])
        axes.scatter(
            latency,
            quality,
            s=max(LARGEST * cost / dearest if dearest else 0, 30),
            color="none" if late else hue,
            edgecolors=hue,
            alpha=0.5,
        )
        axes.annotate(
            f"{system}, {INVALID}" if late else system,
            (latency, quality),
            (6, 5),
            textcoords="offset points",
            fontsize=9,
        )
    axes.set(
        xlabel="median end-to-end latency, s; discs: cost per call; line: Pareto front",
        ylabel=measure(lead).label,
        ylim=(0, 1),
    )
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _load(summary: Mapping[str, Any]) -> Figure | None:
    """Percentiles of the end-to-end latency, a panel per system and a line per mode; ``None`` without any."""
    from matplotlib.figure import Figure

    lines: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for system, entry in summary["systems"].items():
        for percentile in PERCENTILES:
            for one in modes(entry["measures"], f"latency_e2e_p{percentile}"):
                if one["estimate"] is not None and one.get("mode"):
                    line = lines.setdefault(system, {}).setdefault(one["mode"], [])
                    line.append((percentile, one["estimate"]))
    if not lines:
        return None
    figure = Figure(figsize=(3.2 * len(lines), 3.8), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(lines), sharey=True, squeeze=False)[0]
    known = list(dict.fromkeys(mode for of in lines.values() for mode in of))
    for axes, (system, of) in zip(panels, lines.items(), strict=True):
        for mode, points in of.items():
            axes.plot(*zip(*points, strict=True), marker="o", color=f"C{known.index(mode) % 10}", label=mode)
        axes.set(title=system, xticks=PERCENTILES, xlabel="percentile")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set(ylabel="end-to-end latency, s")
    panels[0].set_ylim(bottom=0)
    named = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside lower center", fontsize=7)
    return figure
