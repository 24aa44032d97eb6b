"""Journal and verdicts to scores. No model and no GPU; a new metric can score an old run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.config import compose, own_price, resolved, set_key
from bench.detectors.base import Detector, ModelDetector
from bench.joining import Joined, joined
from bench.journal import replacing
from bench.metrics.base import DECLARED, Metric
from bench.metrics.declared import metric
from bench.pool import Pool
from bench.records import Score
from bench.workspace import Workspace, json_line
from systems.base import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig


def metrics_of(tasks: Mapping[str, Sequence[str]]) -> dict[str, Metric]:
    """Every metric that some task names."""
    names = dict.fromkeys(name for chosen in tasks.values() for name in chosen)
    return {name: metric(name) for name in names}


def pool_of(workspace: Workspace, manifest: Mapping[str, Any]) -> Pool:
    """What a run's estimates are made of, read from its files."""
    return Pool(
        samples=tuple(workspace.read_samples()),
        predictions=tuple(workspace.read_predictions()),
        scores=tuple(workspace.read_scores()),
        metrics=tuple(metrics_of(manifest["metrics"]).values()),
    )


def score(workspace: Workspace, tasks: Mapping[str, Sequence[str]], detector: Detector | ModelDetector) -> int:
    """Score every prediction of a run with its task's metrics, and write ``scores.jsonl``; returns how many scores.

    ``detector``: the declared one. Answers are read and scores written one by one.
    """
    metrics = metrics_of(tasks)
    count = judged = 0
    with replacing(workspace.scores) as file:
        for one in joined(workspace):
            found = scores(one, [metrics[name] for name in tasks[one.prediction.task]], detector.name)
            file.writelines(json_line(vars(value)) for value in found)
            count += len(found)
            judged += detector.name in one.verdicts
    told = {  # whose verdicts the scores rest on, how many there are, and what is asked of them
        "detector": detector.name,
        "judged": judged,
        "least_kappa": getattr(detector, "least_kappa", None),
        "labels_needed": getattr(detector, "labels_needed", False),
    }
    if not told.items() <= workspace.read_manifest().items():
        workspace.update_manifest(**told)
    return count


def scores(of: Joined, metrics: Sequence[Metric], detector: str) -> list[Score]:
    """One prediction's scores; ``detector`` names the declared one."""
    said = of.verdicts
    if detector in said:
        said = {**said, DECLARED: said[detector]}
    key = vars(of.prediction.key)
    values = ((one.name, one.score(of.sample, of.prediction, said)) for one in metrics)
    return [Score(**key, metric=name, value=value.value, detail=value.detail) for name, value in values]


def open_run(arguments: list[str]) -> tuple[Workspace, DictConfig]:
    """A finished run's directory and its config, with the user's overrides on top."""
    from omegaconf import OmegaConf

    flags = [argument for argument in arguments if argument.startswith("-")]
    if flags:
        raise UserError(f"{flags[0]}: no such flag here; there is --traceback")
    places = [argument for argument in arguments if "=" not in argument]
    if len(places) != 1:
        raise UserError("give one run directory, as results/runs/NAME")
    workspace = Workspace(Path(places[0]))
    manifest = workspace.run_manifest()
    if not manifest:
        raise UserError(f"{workspace.path}: is no run directory (manifest.json is missing)")
    overrides = [argument for argument in arguments if "=" in argument]
    return workspace, overridden(OmegaConf.create(manifest["config"]), overrides)


def overridden(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """A resolved config with overrides set in it, those of a whole group first."""
    from omegaconf import DictConfig, OmegaConf

    for override in overrides:
        key = override.partition("=")[0]
        if isinstance(OmegaConf.select(config, key), DictConfig):  # another option of a group, as price=api
            within = [other for other in overrides if other.startswith(f"{key}.")]
            OmegaConf.update(config, key, resolved(compose([override, *within]))[key], merge=False)
    for override in overrides:
        if not isinstance(OmegaConf.select(config, override.partition("=")[0]), DictConfig):
            set_key(config, override)
    own_price(config, overrides)
    return config
