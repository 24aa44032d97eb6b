"""``bench publish``: finished runs as a result that anyone can make again, or why they are none."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.provenance import tree
from bench.publishing.claim import FILE as CLAIM
from bench.publishing.claim import Claim, read_claim
from bench.publishing.experiment import other_than_claimed
from bench.publishing.leaderboard import write_leaderboard
from bench.publishing.publication import Publication, write
from bench.publishing.refusals import Candidate, refusals
from bench.publishing.scores import means, read_runs
from bench.publishing.summary import summarised, with_seeds
from bench.report import HEADLINE
from bench.reporting.run_files import read_summary
from bench.scoring import metrics_of
from bench.workspace import Workspace
from systems.base import UserError, unreached

MARGIN, MACHINE_MARGIN = 0.05, 0.25
"""Where no claim names others: five points; for what is of the machine a factor of 1.25."""
OF_THE_MACHINE = ("latency_e2e_p50", "cost_per_call")


def candidate(path: Path) -> Candidate:
    """The run in a directory."""
    workspace = Workspace(path)
    manifest = workspace.run_manifest()
    if "made_by" not in manifest:
        raise UserError(f"{path}: is no run directory (manifest.json is missing); give one that `bench run` printed")
    errors = [one.error for one in workspace.read_predictions()]
    return Candidate.of(workspace, manifest, len(errors), sum(map(unreached, errors)))


def measured(runs: Sequence[Candidate]) -> list[str]:
    """Names of the measures that are means over samples."""
    return [metric.name for metric in means(metrics_of(runs[0].manifest["metrics"]).values())]


def timed(runs: Sequence[Candidate]) -> set[str]:
    """Names of everything that finished runs estimate for a system."""
    summaries = [read_summary(run.path) for run in runs if run.complete]
    return {name for found in summaries for entry in found["systems"].values() for name in entry["measures"]}


def first_claim(name: str, runs: Sequence[Candidate]) -> Claim:
    """What is claimed of runs for which nobody wrote it down: the measures that systems are compared on."""
    measures = measured(runs)
    chosen = [one for one in HEADLINE if one in measures] or measures
    known = timed(runs)
    return Claim(
        title=name,
        about=f"The runs of experiment={runs[0].manifest['experiment']}.",
        experiment=str(runs[0].manifest["experiment"]),
        seeds=tuple(run.seed for run in runs),
        margins={
            **dict.fromkeys(chosen, MARGIN),
            **{one: MACHINE_MARGIN for one in OF_THE_MACHINE if one in known},
        },
    )


def publish(paths: Sequence[Path], name: str, results: Path) -> Publication | list[str]:
    """Write ``results/published/NAME`` and the leaderboard anew; or every reason why not."""
    runs = sorted((candidate(path) for path in paths), key=lambda run: run.seed)
    place = results / "published" / name
    declared = read_claim(place) if (place / CLAIM).is_file() else None
    claim = declared or first_claim(name, runs)
    found = refusals(runs, claim, tree()["dirty"])
    known = {*measured(runs), *timed(runs)}
    held = claim.margins if all(run.complete for run in runs) else claim.quality
    found += [f"margin of {one}: these runs do not measure it" for one in held if one not in known]
    if claim.figures or (declared and not Publication(place).run):  # written before these runs
        found += [f"{run.path}: {words}" for run in runs for words in other_than_claimed(claim, run.manifest["config"])]
    if found:
        return found
    publication = written(place, claim, runs)
    write_leaderboard(results)
    return publication


def written(place: Path, claim: Claim, runs: Sequence[Candidate]) -> Publication:
    """Write what is published of runs that may be."""
    seeds = [run.seed for run in runs]
    pool = read_runs({run.seed: Workspace(run.path) for run in runs}, seeds, claim.quality)
    summaries = {run.seed: read_summary(run.path) for run in runs}
    summary = with_seeds(summarised(pool, list(runs[0].manifest["systems"])), summaries, claim.quality)
    return write(place, claim, {run.seed: run.manifest for run in runs}, pool, summary)


def main(arguments: list[str]) -> int:
    """``bench publish RUN [RUN ...] name=NAME [results=DIR]``: several runs are the seeds of one grid."""
    for argument in arguments:
        if argument.startswith("-"):
            raise UserError(f"{argument}: no such flag here; there is --traceback")
    options = dict(one.split("=", 1) for one in arguments if "=" in one and not Path(one).exists())
    for key in options.keys() - {"name", "results"}:
        raise UserError(f"{key}: no such setting here; there are: name, results")
    paths = [Path(one) for one in arguments if one.partition("=")[0] not in options]
    name = options.get("name", "")
    if not name or Path(name).name != name or name.startswith("."):
        raise UserError(f"name={name}: has to be given, a word that names a directory, as name=pocket")
    if not paths:
        raise UserError("give one or more run directories, as results/runs/NAME; several are the seeds of one grid")
    done = publish(paths, name, Path(options.get("results", "results")))
    if isinstance(done, list):
        for reason in done:
            print(f"bench publish: {reason}", file=sys.stderr)
        return 2
    print(json.dumps({"published": str(done.place), "seeds": done.seeds}))
    return 0
