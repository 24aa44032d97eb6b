"""One W&B run per system, written once from the files of a complete run.

The journal is the truth: an offline W&B run cannot be appended to later, so nothing is logged until all is
there. Ids follow from the run and the system, so writing again updates instead of doubling. A W&B that
cannot be reached never stops a run: what is written offline is sent later with ``wandb sync``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.progress import say
from bench.records import Prediction, Sample, Score
from bench.workspace import Workspace
from systems.base import UserError

SAMPLES = ("none", "redacted", "full")


@dataclass(frozen=True, kw_only=True)
class WandbTracker:
    """Settings of the tracker; see ``conf/tracker/wandb.yaml``."""

    project: str = "knowhow"
    entity: str | None = None
    mode: str = "auto"
    samples: str = "redacted"
    init_timeout_seconds: float = 20.0

    def __post_init__(self) -> None:
        if self.mode not in ("auto", "online", "offline"):
            raise UserError(f"tracker.mode={self.mode}: must be auto, online or offline")
        if self.samples not in SAMPLES:
            raise UserError(f"tracker.samples={self.samples}: must be one of {', '.join(SAMPLES)}")

    def publish(self, workspace: Workspace) -> None:
        """Write the W&B runs of a complete run. Trouble is said in one line and does not fail the run."""
        try:
            import wandb
        except ModuleNotFoundError:
            say("W&B: not installed, nothing is tracked; pip install wandb, or tracker=none")
            return
        online = self.mode == "online" or (self.mode == "auto" and _logged_in())
        # Its staging area belongs to the run, not into the user's home.
        os.environ.setdefault("WANDB_DATA_DIR", str((workspace.path / "wandb" / "data").resolve()))
        os.environ.setdefault("WANDB_CACHE_DIR", str((workspace.path / "wandb" / "cache").resolve()))
        os.environ.setdefault("WANDB_SILENT", "true")
        summary = json.loads(workspace.summary.read_text())
        manifest = workspace.read_manifest()
        files = _Files.read(workspace)
        for system in summary["systems"]:
            try:
                self._one(wandb, workspace, manifest, summary, files, system, online=online)
            except (wandb.errors.Error, OSError, TimeoutError) as error:
                words = (str(error).strip().splitlines() or [type(error).__name__])[0]
                say(f"W&B: {system} was not {'sent' if online else 'written'}: {words}")
                if online:
                    self._one(wandb, workspace, manifest, summary, files, system, online=False)
        where = (
            "sent"
            if online
            else f"offline in {workspace.path / 'wandb'}; send with: wandb sync {workspace.path}/wandb/*run-*"
        )
        say(f"W&B: {len(summary['systems'])} runs {where}")

    def _one(
        self,
        wandb: Any,
        workspace: Workspace,
        manifest: Mapping[str, Any],
        summary: Mapping[str, Any],
        files: _Files,
        system: str,
        *,
        online: bool,
    ) -> None:
        run = wandb.init(
            project=self.project,
            entity=self.entity,
            id=run_id(summary["run"]["id"], system),
            name=f"{summary['run']['id']} {system}",
            group=summary["run"]["experiment"],
            job_type=system,
            tags=[system, summary["run"]["model"], summary["run"]["grid"]],
            config=dict(flat_config(manifest, system)),
            dir=str(workspace.path),
            mode="online" if online else "offline",
            resume="allow" if online else None,
            settings=wandb.Settings(
                silent=True,
                console="off",
                x_disable_stats=True,
                x_disable_meta=True,
                init_timeout=self.init_timeout_seconds,
            ),
        )
        try:
            run.summary.update(dict(flat_summary(summary, system)))
            if self.samples != "none":
                rows = list(files.rows(system, references=self.samples == "full"))
                columns = list(rows[0]) if rows else []
                run.log({"samples": wandb.Table(columns=columns, data=[list(row.values()) for row in rows])})
            figure = _figure(summary, workspace.path / "wandb" / "grid.png")
            if figure is not None:
                run.log({"grid": wandb.Image(str(figure))})
            artifact = wandb.Artifact(f"{run_id(summary['run']['id'], system)}-results", type="results")
            for path in (workspace.manifest, workspace.summary, workspace.path / "report.html"):
                # The report and manifest hold samples and config; what may not leave stays.
                if path.exists() and (self.samples == "full" or path == workspace.summary):
                    artifact.add_file(str(path))
            run.log_artifact(artifact)
        finally:
            run.finish()


def run_id(run: str, system: str) -> str:
    """The W&B id: of letters that W&B allows, the same each time."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", f"{run}-{system}")[:120]


def flat_config(manifest: Mapping[str, Any], system: str) -> Iterator[tuple[str, Any]]:
    """Config as people filter by it, ``tuning.rank`` and the like; without paths of this machine."""
    yield "system", system
    yield "commit", manifest["commit"]
    for key, value in _flatten(manifest["config"]):
        if key.startswith(("hydra.", "run_dir", "builds_dir", "tracker.")) or (
            isinstance(value, str) and value.startswith("/")
        ):
            continue
        if key.startswith("systems.") and not key.startswith(f"systems.{system}."):
            continue
        yield key, value
    for name, build in manifest.get("build", {}).get("adapters", {}).items():
        if name == system:
            yield "adapter", build["weights"]
            yield "adapter_key", build["key"]
    index = manifest.get("build", {}).get("index") or {}
    if index:
        yield "index_key", index["key"]


def flat_summary(summary: Mapping[str, Any], system: str) -> Iterator[tuple[str, Any]]:
    """``accuracy``, ``accuracy.low``, ``facts/accuracy`` and so on."""
    entry = summary["systems"][system]
    scopes = [("", entry["measures"]), *((f"{task}/", measures) for task, measures in entry["tasks"].items())]
    for prefix, measures in scopes:
        for name, estimate in measures.items():
            first = estimate[0] if isinstance(estimate, list) else estimate
            yield f"{prefix}{name}", first["estimate"]
            for end in ("low", "high"):
                if first[end] is not None:
                    yield f"{prefix}{name}.{end}", first[end]


def _flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


@dataclass(frozen=True)
class _Files:
    """A run's rows, joined per sample."""

    samples: Mapping[tuple[str, str], Sample]
    predictions: Sequence[Prediction]
    scores: Mapping[tuple[str, str, str, int], Sequence[Score]]

    @classmethod
    def read(cls, workspace: Workspace) -> _Files:
        scores: dict[tuple[str, str, str, int], list[Score]] = {}
        for score in workspace.read_scores():
            scores.setdefault((score.system, score.task, score.sample, score.repeat), []).append(score)
        samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
        return cls(samples, workspace.read_predictions(), scores)

    def rows(self, system: str, *, references: bool) -> Iterator[dict[str, Any]]:
        """A table row per prediction; every row has the same columns."""
        metrics = sorted({score.metric for found in self.scores.values() for score in found})
        for prediction in self.predictions:
            if prediction.system != system:
                continue
            sample = self.samples[prediction.task, prediction.sample]
            key = (prediction.system, prediction.task, prediction.sample, prediction.repeat)
            values = {score.metric: score.value for score in self.scores.get(key, ())}
            row: dict[str, Any] = {
                "task": prediction.task,
                "sample": prediction.sample,
                "repeat": prediction.repeat,
                "query": sample.query.text,
                "answer": prediction.text,
                "error": prediction.error or "",
                "tokens_in": prediction.tokens_in,
                "tokens_out": prediction.tokens_out,
            }
            if references:
                row["reference"] = json.dumps(sample.reference, ensure_ascii=False)
            yield row | {metric: values.get(metric) for metric in metrics}


def _logged_in() -> bool:
    """A key is at hand: in the environment or in the netrc file, where W&B keeps it."""
    if os.environ.get("WANDB_MODE") in ("offline", "disabled"):
        return False
    if os.environ.get("WANDB_API_KEY"):
        return True
    import netrc

    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def _figure(summary: Mapping[str, Any], path: Path) -> Path | None:
    from bench.reporting.raster import png

    path.parent.mkdir(parents=True, exist_ok=True)
    png(summary, path)
    return path if path.exists() else None
