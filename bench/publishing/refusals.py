"""Why runs are not published: each reason is one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.publishing.claim import Claim
from bench.publishing.portable import APART, flat
from bench.publishing.source import code_at
from bench.workspace import Workspace

SEEDS_OF_TUNING = 3
"""Training seeds that a claim on tuned weights needs."""
MOST_UNREACHED = 0.01
"""Largest share of answers that may be calls lost on their way: they say something of a network alone."""
MEANT_TO_DIFFER = "seed"


@dataclass(frozen=True)
class Candidate:
    """A run that somebody wants to publish."""

    path: Path
    manifest: Mapping[str, Any]
    completed: int
    """Predictions that are there."""
    complete: bool
    """Whether no stage is owed."""
    unreached: int = 0
    """Predictions whose call was lost on its way."""

    @property
    def seed(self) -> int:
        return int(self.manifest["seed"])

    @classmethod
    def of(cls, workspace: Workspace, manifest: Mapping[str, Any], completed: int, unreached: int) -> Candidate:
        return cls(workspace.path, manifest, completed, workspace.complete.exists(), unreached)


def refusals(
    runs: Sequence[Candidate],
    claim: Claim,
    changed: bool | None,
    code_of: Callable[[str], str | None] = code_at,
) -> list[str]:
    """Every reason; none: they may be published. ``changed``: whether the tree differs from its commit."""
    found = [reason for run in runs for reason in (*_alone(run, code_of), *_claimed(run, claim))]
    if changed:
        found.insert(0, "the tree has changes that are not committed; commit them, and run on that commit")
    if changed is None:
        found.insert(0, "this is no git repository, so nobody could get the code that made the runs")
    return [*found, *_together(runs), *_seeds(runs, claim)]


def _alone(run: Candidate, code_of: Callable[[str], str | None]) -> Iterator[str]:
    manifest = run.manifest
    if run.completed < manifest["planned"]:
        yield f"{run.path}: has {run.completed} of {manifest['planned']} planned answers; say its command again"
    elif not run.complete:
        yield f"{run.path}: is not finished; say its command again"
    if run.unreached > MOST_UNREACHED * manifest["planned"]:
        yield (
            f"{run.path}: {run.unreached} of {manifest['planned']} calls did not reach their engine, and at most "
            f"{MOST_UNREACHED:.0%} may; say its command again, which makes them once more"
        )
    if manifest.get("split", "test") != "test":
        yield f"{run.path}: asks the {manifest['split']} split, where settings are chosen; publish the test split"
    commit, made_by = str(manifest["commit"]), manifest["made_by"]
    if commit == "unknown" or commit.endswith("-dirty"):
        yield f"{run.path}: was made by code that is in no commit ({commit}); commit it and run again"
    elif (held := code_of(commit)) is None:
        yield f"{run.path}: its commit {commit} is not in this repository"
    elif held != made_by["code"]:
        yield f"{run.path}: was made by other code ({made_by['code']}) than its commit {commit[:12]} holds ({held})"
    if str(manifest["model"]["identity"]).endswith("@unpinned"):
        yield f"{run.path}: model {manifest['model']['name']} has no pinned revision; say model.revision=COMMIT"


def _claimed(run: Candidate, claim: Claim) -> Iterator[str]:
    if (experiment := run.manifest["experiment"]) != claim.experiment:
        yield f"{run.path}: is a run of experiment={experiment}, and the claim is of experiment={claim.experiment}"


def _together(runs: Sequence[Candidate]) -> Iterator[str]:
    """Several runs are one grid: they differ in their seeds alone."""
    first = runs[0]
    known = _settings(first)
    for run in runs[1:]:
        other = _settings(run)
        differing = [key for key in {**known, **other} if known.get(key) != other.get(key)]
        wrong = [key for key in differing if key.rpartition(".")[2] != MEANT_TO_DIFFER]
        if wrong:
            yield f"{run.path}: differs from {first.path} in {wrong[0]}, and not in its seed alone"
        for what in ("code", "data", "model", "retrieval"):
            if run.manifest["made_by"].get(what) != first.manifest["made_by"].get(what):
                yield f"{run.path}: was made with other {what} than {first.path}"


def _seeds(runs: Sequence[Candidate], claim: Claim) -> Iterator[str]:
    seeds = [run.seed for run in runs]
    if len(set(seeds)) < len(seeds):
        yield f"seeds {', '.join(map(str, seeds))}: one of them stands there twice"
    if missing := [str(seed) for seed in claim.seeds if seed not in seeds]:
        yield f"seed {', '.join(missing)} is missing: the claim names {', '.join(map(str, claim.seeds))}"
    systems = runs[0].manifest["config"]["systems"]
    tuned = [name for name in runs[0].manifest["systems"] if systems[name].get("adapter") is not None]
    nodes = [run.manifest["config"]["systems"].get(name) for name in tuned for run in runs]
    trained = {adapter.get("seed") for node in nodes if node and (adapter := node.get("adapter"))}
    if tuned and len(trained) < SEEDS_OF_TUNING:
        yield (
            f"{' and '.join(tuned)}: claims on tuned weights need {SEEDS_OF_TUNING} training seeds or more, "
            f"and there {'is' if len(trained) == 1 else 'are'} {len(trained)}"
        )


def _settings(run: Candidate) -> dict[str, Any]:
    return dict(flat({key: value for key, value in run.manifest["config"].items() if key not in APART}))
