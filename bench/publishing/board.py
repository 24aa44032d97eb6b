"""What the leaderboard shows of each publication: finished words and rows, no arithmetic left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.metrics.retrieval import of_retrieval
from bench.publishing.claim import Claim, Figure, in_words
from bench.publishing.publication import Publication, publications
from bench.publishing.summary import shown
from bench.reporting import numbers
from bench.reporting.facts import STUB, stand_in
from bench.reporting.measures import measure
from bench.reporting.rows import Group, groups
from bench.reporting.svg import slot

NOT_RUN = "not yet run"


@dataclass(frozen=True, kw_only=True)
class Held:
    """A figure that others published, and ours beside it."""

    system: str
    measure: str
    theirs: str
    ours: str
    margin: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One publication, ready to print."""

    name: str
    title: str
    about: str
    mark: str
    run: bool
    warning: str
    systems: tuple[str, ...]
    groups: tuple[Group, ...]
    seeds: tuple[str, ...]
    by_seed: tuple[tuple[str, ...], ...]
    """Rows of measure, system and a number for every seed; empty for a single one."""
    held: tuple[Held, ...]
    facts: tuple[tuple[str, str], ...]
    command: str

    @property
    def slot(self) -> Callable[[str], int]:
        """The colour of a system."""
        return lambda system: slot(system, self.systems)


def entries(results: Path) -> list[Entry]:
    """All of them: what was run first, then what was not, each by name."""
    return sorted((entry(one) for one in publications(results)), key=lambda one: (not one.run, one.name))


def entry(publication: Publication) -> Entry:
    """One publication."""
    claim = publication.claim
    summary = publication.summary if publication.run else {"systems": {}, "comparisons": [], "seeds": {}}
    systems = tuple(summary["systems"]) or tuple(dict.fromkeys(figure.system for figure in claim.figures))
    measured = shown(summary, claim.margins)
    first = next(iter(publication.runs.values())) if publication.run else {}
    needs = "".join(f" {key}=..." for key in (publication.manifest["given"] if publication.run else claim.needs))
    return Entry(
        name=publication.name,
        title=claim.title,
        about=claim.about.strip(),
        mark=f"published by us on {_machine(first)}" if publication.run else NOT_RUN,
        run=publication.run,
        warning=_warning(first, claim) if first else "",
        systems=systems,
        groups=tuple(groups(measured, summary["comparisons"])),
        seeds=tuple(summary["seeds"]),
        by_seed=tuple(_by_seed(summary)),
        held=tuple(_held(figure, summary) for figure in claim.figures),
        facts=tuple(_facts(publication, first)),
        command=f"bench reproduce {publication.name}{needs}",
    )


def _machine(run: Mapping[str, Any]) -> str:
    gpus = run["hardware"]["gpus"]
    return f"{len(gpus)} × {gpus[0].partition(',')[0]}" if gpus else "CPU"


def _held(figure: Figure, summary: Mapping[str, Any]) -> Held:
    found = summary["systems"].get(figure.system, {}).get("measures", {}).get(figure.measure)
    theirs = {"estimate": figure.value, "unit": found["unit"] if found else "share"}
    unit = theirs["unit"]
    plain = unit == "mean"
    return Held(
        system=figure.system,
        measure=measure(figure.measure).label,
        theirs=f"{figure.value:.3f}" if plain else f"{figure.value:.1%}".replace("%", f"{numbers.SPACE}%"),
        ours=NOT_RUN if found is None else _exact(found),
        margin=f"±{figure.margin:g}" if plain else f"±{100 * figure.margin:g} points",
        source=figure.source,
    )


def _exact(found: Mapping[str, Any]) -> str:
    """To three decimals, as figures of others are given."""
    if found["unit"] == "mean":
        ends = "" if found["low"] is None else f" ({found['low']:.3f}–{found['high']:.3f})"
        return f"{found['estimate']:.3f}{ends}"
    return numbers.with_interval(found)


def _by_seed(summary: Mapping[str, Any]) -> list[tuple[str, ...]]:
    points = summary["seeds"]
    if len(points) < 2:
        return []
    return [
        (
            measure(name).label,
            system,
            *(numbers.value({"estimate": points[seed][system].get(name), "unit": one["unit"]}) for seed in points),
        )
        for system, entry in summary["systems"].items()
        for name, one in entry["measures"].items()
        if any(points[seed][system].get(name) is not None for seed in points)
    ]


def _facts(publication: Publication, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    claim = publication.claim
    needs = [(f"Needs {key}", what) for key, what in claim.needs.items()]
    margins = ", ".join(f"{measure(name).label} {in_words(name, margin)}" for name, margin in claim.margins.items())
    if not run:
        return [("Experiment", claim.experiment), ("Seeds", _words(claim.seeds)), *needs, ("Margins", margins)]
    hardware = run["hardware"]
    return [
        *_asked(run),
        ("Machine", f"{hardware.get('processor', hardware['machine'])}, {hardware['cores']} cores, {_machine(run)}"),
        ("Seeds", _words(publication.seeds)),
        ("Samples", f"{run['planned'] // len(run['systems']):,} a seed"),
        ("Commit", run["commit"]),
        ("Finished", run["finished"]),
        *needs,
        ("Margins", margins),
    ]


def _warning(run: Mapping[str, Any], claim: Claim) -> str:
    """Who answered, where it was no model to be judged by; what retrieval alone is measured on has no answers."""
    engine = run["engine"]["engine"]
    if engine == STUB and all(map(of_retrieval, claim.quality)):
        return ""
    return stand_in(engine, run["model"]["name"]) or ""


def _asked(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    engine = run["engine"]
    if engine["engine"] == STUB:
        return [("Experiment", run["experiment"]), ("Model", "none was asked")]
    return [
        ("Experiment", f"{run['experiment']}, {run['grid']} grid"),
        ("Model", f"{run['model']['name']} ({run['model']['identity']})"),
        ("Engine", f"{engine['engine']} {engine.get('version', '')}".strip()),
    ]


def _words(seeds: Any) -> str:
    return ", ".join(map(str, seeds))
