"""``bench reproduce``: builds and runs what was published once more, and says of every measure whether it came out."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.assembly import Assembly
from bench.heap import uncollected
from bench.journal import write_atomically
from bench.progress import say
from bench.publishing.again import Differences, built_otherwise, configs, differences, overridden_settings
from bench.publishing.by_figure import against_figures
from bench.publishing.by_machine import of_the_machine
from bench.publishing.by_sample import PREFIX, paired
from bench.publishing.portable import provenance
from bench.publishing.publication import Publication, find
from bench.publishing.refusals import MOST_UNREACHED
from bench.publishing.scores import of_seeds, read_runs
from bench.publishing.summary import of_machine
from bench.publishing.told import table
from bench.publishing.verdicts import CANNOT_SAY, CODES, Verdict, overall
from bench.run import run, set_aside
from bench.workspace import Workspace
from systems.base import Failure, UserError
from systems.lease import held

FLAGS = ("--json", "--reuse-builds", "--fresh")
OWN = ("results", "run_dir", "seeds")
BEGUN, DONE = "reproduction.json", "reproduced.json"
"""Beside the runs: what they are made for, and what came of it."""
DATA = "KNOWHOW_DATA"
"""Environment variable: a directory with public data sets, each under its suite's name."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it."""

    name: str
    word: str
    reasons: Sequence[str] = ()
    """Why nothing was run."""
    notes: Sequence[str] = ()
    verdicts: Sequence[Verdict] = ()
    runs: Sequence[str] = ()
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Seed → what its manifest says of where the new run comes from."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """``runs``: of the runs themselves; ``own``: of everything beside them."""

    @property
    def code(self) -> int:
        return CODES[self.word]


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """What is to be made again."""

    published: str | None
    """Names the results; others have answers of their own."""
    seeds: Sequence[int]
    overrides: Sequence[str]
    reuse_builds: bool


def reproduce(publication: Publication, asked: Reproduction, place: Path, fresh: bool = False) -> Outcome:
    """Run every seed again and compare. Builds are made anew, in ``place``, unless they may be reused; answers always.

    Raises ``UserError`` for what the user has to give.
    """
    started = time.perf_counter()
    seeds = asked.seeds
    assemblies: dict[int, Assembly] = {}
    for seed, config in configs(publication, seeds, asked.overrides).items():
        config.run_dir = str(place / f"seed-{seed}")
        if not asked.reuse_builds:
            config.builds_dir = str(place / "builds")
        assemblies[seed] = Assembly(config)
    # All seeds were published with one model and the same data: one of them tells.
    found = differences(publication, assemblies[seeds[0]], seeds[0])
    notes = [*found.told, *overridden_settings(publication, asked.overrides)]
    if found.fatal:
        return Outcome(name=publication.name, word=CANNOT_SAY, reasons=found.fatal, notes=notes)
    with _alone(place):
        _begin(place, asked, fresh)
        for note in notes:
            say(f"note: {note}")
        running = 0.0
        for assembly in assemblies.values():
            begun = time.perf_counter()
            run(assembly)
            running += time.perf_counter() - begun
        workspaces = {seed: assembly.workspace for seed, assembly in assemblies.items()}
        manifests = {seed: workspace.read_manifest() for seed, workspace in workspaces.items()}
        notes += built_otherwise(publication, manifests)
        notes += [
            f"seed {seed}: {lost} of {manifest['planned']} calls did not reach the engine, and count as failed"
            for seed, manifest in manifests.items()
            if (lost := manifest.get("unreached"))
        ]
        enough = all(one.get("unreached", 0) <= MOST_UNREACHED * one["planned"] for one in manifests.values())
        with uncollected():
            verdicts = judged(publication, workspaces, found)
        return Outcome(
            name=publication.name,
            word=overall(verdicts) if enough else CANNOT_SAY,
            notes=notes,
            verdicts=verdicts,
            runs=[str(workspace.path) for workspace in workspaces.values()],
            provenance={str(seed): provenance(manifest) for seed, manifest in manifests.items()},
            seconds={"runs": round(running, 2), "own": round(time.perf_counter() - started - running, 2)},
        )


def judged(publication: Publication, workspaces: Mapping[int, Workspace], found: Differences) -> list[Verdict]:
    """A verdict for each measure that has a margin, and for each figure of others."""
    claim, seeds = publication.claim, publication.seeds
    measures = {*claim.quality, *(figure.measure for figure in claim.figures)}
    pool = read_runs(workspaces, seeds, measures)
    verdicts: list[Verdict] = []
    if publication.run:
        published = of_seeds(publication.scores(PREFIX), {seeds.index(seed) for seed in workspaces})
        verdicts += paired(claim, published, pool, list(publication.summary["systems"]))
        summaries = {seed: json.loads(one.summary.read_text(encoding="utf-8")) for seed, one in workspaces.items()}
        now = {str(seed): of_machine(summary) for seed, summary in summaries.items()}
        verdicts += of_the_machine(claim, publication.summary["machine"], now, found.same_machine)
    return [*verdicts, *against_figures(claim, pool)]


def _begin(place: Path, asked: Reproduction, fresh: bool) -> None:
    """Go on with what this very one began and did not finish; set aside all else: no other answer is ever reused."""
    begun = json.dumps(asdict(asked), indent=1) + "\n"
    mark = place / BEGUN
    goes_on = mark.exists() and mark.read_text(encoding="utf-8") == begun and not (place / DONE).exists()
    made = any(path.is_file() for path in place.rglob("*"))  # an empty directory of builds is not worth keeping
    if made and (fresh or not goes_on):
        say(f"set aside: {set_aside(place)}")
    write_atomically(mark, begun)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Be the only one that reproduces here. The lease lies beside the place, which may be set aside as a whole."""

    def refuse(holder: str) -> None:
        raise Failure(f"{place}: {holder} is reproducing this; wait for it, stop it, or give run_dir=DIR")

    place.parent.mkdir(parents=True, exist_ok=True)
    with held(place.with_name(f".{place.name}.lease"), refuse):
        yield


def _place(publication: Publication, given: str | None) -> Path:
    """Where the runs go."""
    if given is None:
        return Path("results/runs") / f"reproduce-{publication.name}"
    place = Path(given)
    if place.exists() and not (place / BEGUN).exists():
        raise UserError(f"run_dir={given}: is there, and holds no reproduction; give a place that is not there yet")
    return place


def _seeds(publication: Publication, given: str | None) -> list[int]:
    if given is None:
        return publication.seeds
    try:
        return [int(part) for part in given.split(",")]
    except ValueError:
        raise UserError(f"seeds={given}: must be whole numbers, as seeds=0,1") from None


def _with_data(publication: Publication, overrides: list[str]) -> list[str]:
    """``suite.path`` from the directory of data sets, where the environment names one and nobody said another."""
    needed = publication.manifest["given"] if publication.run else publication.claim.needs
    root = os.environ.get(DATA)
    said = any(one.startswith("suite.path=") for one in overrides)
    if root and "suite.path" in needed and not said and (folder := Path(root) / publication.claim.experiment).is_dir():
        return [*overrides, f"suite.path={folder}"]
    return overrides


def main(arguments: list[str]) -> int:
    """``bench reproduce NAME [key=value ...] [seeds=0,1] [--reuse-builds] [--fresh] [--json]``."""
    flags = {argument for argument in arguments if argument.startswith("--")}
    for flag in sorted(flags - set(FLAGS)):
        raise UserError(f"{flag}: no such flag here; there are {', '.join(FLAGS)} and --traceback")
    names = [one for one in arguments if "=" not in one and one not in flags]
    if len(names) != 1:
        raise UserError("give one name, as bench reproduce pocket; results/README.md lists what is published")
    settings = [one for one in arguments if "=" in one]
    own = dict(one.split("=", 1) for one in settings if one.partition("=")[0] in OWN)
    publication = find(Path(own.get("results", "results")), names[0])
    publication.check()
    asked = Reproduction(
        published=publication.identity,
        seeds=_seeds(publication, own.get("seeds")),
        overrides=_with_data(publication, [one for one in settings if one.partition("=")[0] not in OWN]),
        reuse_builds="--reuse-builds" in flags,
    )
    place = _place(publication, own.get("run_dir"))
    outcome = reproduce(publication, asked, place, "--fresh" in flags)
    told: dict[str, Any] = {**asdict(outcome), "code": outcome.code}
    if outcome.runs:
        write_atomically(place / DONE, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(told, ensure_ascii=False) if "--json" in flags else table(outcome.name, told))
    return outcome.code
