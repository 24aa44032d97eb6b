"""Journal and verdicts to scores. No model and no GPU; a new metric can score an old run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.config import compose, resolved, set_key
from bench.metrics.base import DECLARED, Metric
from bench.metrics.declared import metric
from bench.records import Score
from bench.workspace import Workspace, write_lines
from systems.base import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig


def metrics_of(tasks: Mapping[str, Sequence[str]]) -> dict[str, Metric]:
    """Every metric that some task names."""
    names = dict.fromkeys(name for chosen in tasks.values() for name in chosen)
    return {name: metric(name) for name in names}


def score(workspace: Workspace, tasks: Mapping[str, Sequence[str]], detector: str) -> list[Score]:
    """Score every prediction of a run with its task's metrics, and write ``scores.jsonl``.

    ``detector``: the name of the declared one.
    """
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    verdicts = workspace.read_verdicts()
    metrics = metrics_of(tasks)
    scores = []
    for prediction in workspace.read_predictions():
        sample = samples[prediction.task, prediction.sample]
        key = (prediction.system, prediction.task, prediction.sample, prediction.repeat)
        said = verdicts.get(key, {})
        said = {**said, DECLARED: said[detector]} if detector in said else said
        for name in tasks[prediction.task]:
            value = metrics[name].score(sample, prediction, said)
            scores.append(Score(**_key(key), metric=name, value=value.value, detail=value.detail))
    write_lines(workspace.scores, (dataclasses.asdict(one) for one in scores))
    told = {"detector": detector, "judged": sum(detector in one for one in verdicts.values())}
    if not told.items() <= workspace.read_manifest().items():
        workspace.update_manifest(**told)  # whose verdicts the scores rest on, and how many there are
    return scores


def _key(key: tuple[str, str, str, int]) -> dict[str, Any]:
    return dict(zip(("system", "task", "sample", "repeat"), key, strict=True))


def open_run(arguments: list[str]) -> tuple[Workspace, DictConfig]:
    """A finished run's directory and its config, with the user's overrides on top."""
    from omegaconf import DictConfig, OmegaConf

    flags = [argument for argument in arguments if argument.startswith("-")]
    if flags:
        raise UserError(f"{flags[0]}: no such flag here; there is --traceback")
    places = [argument for argument in arguments if "=" not in argument]
    if len(places) != 1:
        raise UserError("give one run directory, as results/runs/NAME")
    workspace = Workspace(Path(places[0]))
    manifest = workspace.read_manifest()
    if not manifest:
        raise UserError(f"{workspace.path}: is no run directory (manifest.json is missing)")
    config = OmegaConf.create(manifest["config"])
    overrides = [argument for argument in arguments if "=" in argument]
    for override in overrides:
        key = override.partition("=")[0]
        if isinstance(OmegaConf.select(config, key), DictConfig):  # another option of a group, as price=api
            within = [other for other in overrides if other.startswith(f"{key}.")]
            OmegaConf.update(config, key, resolved(compose([override, *within]))[key], merge=False)
    for override in overrides:
        if not isinstance(OmegaConf.select(config, override.partition("=")[0]), DictConfig):
            set_key(config, override)
    return workspace, config
