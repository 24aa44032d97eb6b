"""From a publication to the configs of its runs, and what is not as it was when they were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.assembly import Assembly
from bench.begin import contents, retrieval_hash
from bench.config import compose, resolved
from bench.publishing.experiment import asks_none, other_than_claimed
from bench.publishing.portable import APART, flat, restored, set_at
from bench.publishing.publication import Publication
from bench.scoring import overridden
from bench.workspace import code_hash, hardware
from systems.base import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

MACHINE = ("machine", "cores", "processor", "gpus")
"""What of the hardware has to be the same for latency and cost to be compared."""


@dataclass(frozen=True)
class Differences:
    """What is not as it was."""

    fatal: list[str]
    """Another model, other data: a run of these could say nothing of what was published."""
    told: list[str]
    """Other code, other packages, other settings: worth knowing beside the verdicts."""
    same_machine: bool


def configs(publication: Publication, seeds: Sequence[int], overrides: Sequence[str]) -> dict[int, DictConfig]:
    """Seed → the config of its run: the published one, or the experiment's where nothing was published yet."""
    for seed in seeds:
        if seed not in publication.seeds:
            raise UserError(f"seeds={seed}: {publication.name} has the seeds {', '.join(map(str, publication.seeds))}")
    if not publication.run:
        _require(publication.claim.needs, publication, overrides)
        named = [f"experiment={publication.claim.experiment}", "tracker=none"]
        return {seed: compose([*named, f"seed={seed}", *overrides]) for seed in seeds}
    given = publication.manifest["given"]
    _require(given, publication, overrides)
    today = resolved(compose([]))  # which also makes ${package:...} known
    return {seed: _published(publication, seed, overrides, today) for seed in seeds}


def _require(keys: Mapping[str, Any], publication: Publication, overrides: Sequence[str]) -> None:
    for key in keys:
        if not any(override.partition("=")[0] == key for override in overrides):
            what = publication.claim.needs.get(key, "a place that is not published")
            raise UserError(f"{publication.name}: needs {key}=...: {what}")


def _published(publication: Publication, seed: int, overrides: Sequence[str], today: Mapping[str, Any]) -> DictConfig:
    from omegaconf import OmegaConf

    given = publication.manifest["given"]
    values = dict(override.split("=", 1) for override in overrides)
    same = [f"{other}={values[key]}" for key, others in given.items() for other in others]
    plain = restored(publication.config)
    for key, value in publication.runs[seed]["settings"].items():
        set_at(plain, key, value)
    plain["tracker"] = {"_target_": "bench.tracking.none.NoTracker"}
    # Settings that came later take the value that stands for "as before".
    plain = {**{key: value for key, value in today.items() if key not in plain}, **plain}
    found = OmegaConf.create(plain)
    OmegaConf.resolve(found)
    return overridden(found, [*overrides, *same])


def differences(publication: Publication, assembly: Assembly, seed: int) -> Differences:
    """Compare what a run would be made of with what the published one was made of."""
    if not publication.run:
        if not publication.claim.figures:
            return Differences(["nothing is published yet that a run could be held to"], [], False)
        told = ["nothing of ours is published yet: the figures are those of others"]
        return Differences(list(other_than_claimed(publication.claim, assembly.plain)), told, False)
    was = publication.runs[seed]
    fatal, told = [], []
    now, then = contents(assembly.samples, assembly.suite), was["contents"]
    if now["hashed"] != then.get("hashed"):
        told.append("data were hashed in another way when this was published, so nobody compared them")
    else:
        fatal += [f"other {what} ({now[what]}, published {then[what]})" for what in now if now[what] != then[what]]
    if asks_none(assembly.plain) != asks_none(publication.config):
        fatal.append("known answers (engine=stub) in place of a model, or a model in place of them")
    if assembly.model.identity != was["model"]["identity"]:
        fatal.append(f"other model ({assembly.model.identity}, published {was['model']['identity']})")
    if "retrieval" in was["made_by"] and (found := retrieval_hash(assembly)) != was["made_by"]["retrieval"]:
        fatal.append(f"other embedder or reranker ({found}, published {was['made_by']['retrieval']})")
    machine = hardware()
    same = all(machine.get(key) == was["hardware"].get(key) for key in MACHINE)
    return Differences(fatal, [*told, *_told(publication, assembly, seed, same)], same)


def overridden_settings(publication: Publication, overrides: Sequence[str]) -> Iterator[str]:
    """What was asked for beside what has to be given."""
    needed = publication.manifest["given"] if publication.run else publication.claim.needs
    found = [one for one in overrides if one.partition("=")[0] not in needed]
    if found:
        yield f"settings were given: {' '.join(found)}"


def _told(publication: Publication, assembly: Assembly, seed: int, same_machine: bool) -> list[str]:
    from bench.provenance import lock

    was = publication.runs[seed]
    found = []
    if (code := code_hash()) != was["made_by"]["code"]:
        found.append(f"other code ({code}; published by {was['made_by']['code']}, commit {was['commit'][:12]})")
    packages = lock()
    if packages["hash"] != was["lock"]["hash"]:
        changed = sorted(set(packages["packages"]) ^ set(was["lock"]["packages"]))
        names = sorted({one.partition("==")[0] for one in changed})
        found.append(f"other packages: {', '.join(names[:8])}{' and more' if len(names) > 8 else ''}")
    if not same_machine:
        found.append("other hardware: latency and cost cannot be compared")
    known = dict(flat(_settings(publication, seed)))
    now = dict(flat({key: value for key, value in assembly.plain.items() if key not in APART}))
    places = {one for key, others in publication.manifest["given"].items() for one in (key, *others)}
    other = [key for key in {**known, **now} if key not in places and known.get(key) != now.get(key)]
    other = [key for key in other if not str(known.get(key)).startswith("${package:")]
    if other:
        found.append(f"other settings: {', '.join(other[:8])}{' and more' if len(other) > 8 else ''}")
    return found


def _settings(publication: Publication, seed: int) -> dict[str, Any]:
    plain = restored(publication.config)
    for key, value in publication.runs[seed]["settings"].items():
        set_at(plain, key, value)
    return {key: value for key, value in plain.items() if key not in APART}


def built_otherwise(publication: Publication, runs: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Adapters that came out otherwise: training rounds differently on another machine."""
    if not publication.run:
        return []
    found = []
    for seed, run in runs.items():
        was = publication.runs[seed].get("build", {}).get("adapters", {})
        now = run.get("build", {}).get("adapters", {})
        other = [name for name in was if name in now and now[name]["weights"] != was[name]["weights"]]
        if other:
            found.append(f"seed {seed}: the adapter of {' and '.join(other)} has other weights than the published one")
    return found
