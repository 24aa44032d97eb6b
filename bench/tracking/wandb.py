"""One W&B run per system, written once from the files of a complete run.

The journal is the truth: an offline W&B run cannot be appended to later, so nothing is logged until all is
there. Ids follow from the run and the system, so writing again updates instead of doubling. A W&B that
cannot be reached never stops a run: what is written offline is sent later with ``wandb sync``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.progress import say
from bench.records import Prediction, Sample, Score
from bench.tracking import login
from bench.tracking.flat import flat_config, flat_summary, run_id, without_paths
from bench.workspace import Workspace
from systems.base import Failure, UserError

SAMPLES = ("none", "redacted", "full")


@dataclass(frozen=True, kw_only=True)
class WandbTracker:
    """Settings of the tracker; see ``conf/tracker/wandb.yaml``."""

    project: str = "knowhow"
    entity: str | None = None
    mode: str = "auto"
    samples: str = "redacted"
    init_timeout_seconds: float = 20.0
    """How long W&B may take to begin a run."""
    finish_timeout_seconds: float = 120.0
    """How long it may take to send one; what it holds then stays on disk."""

    def __post_init__(self) -> None:
        if self.mode not in ("auto", "online", "offline"):
            raise UserError(f"tracker.mode={self.mode}: must be auto, online or offline")
        if self.samples not in SAMPLES:
            raise UserError(f"tracker.samples={self.samples}: must be one of {', '.join(SAMPLES)}")

    def publish(self, workspace: Workspace) -> None:
        """Write the W&B runs of a complete run. Trouble is said in one line and does not fail the run."""
        mode = login.mode() if self.mode == "auto" else self.mode
        if mode == "disabled":
            say("W&B: disabled by $WANDB_MODE")
            return
        try:
            import wandb
        except ModuleNotFoundError:
            say("W&B: not installed, nothing is tracked; pip install wandb, or tracker=none")
            return
        publication = _Publication(self, wandb, workspace)
        online, sent, written = mode == "online", 0, 0
        with _own_folders(workspace.path / "wandb"):
            shutil.rmtree(workspace.path / "wandb" / "data", ignore_errors=True)  # staged for runs now written again
            for system in publication.summary["systems"]:
                if online:
                    # A server that failed once is not waited for again: the other systems are written offline too.
                    online = publication.attempt(system, "online")
                    sent += online
                if not online:
                    written += publication.attempt(system, "offline")
            publication.end()
        if sent:
            say(f"W&B: {sent} run{'s' * (sent != 1)} sent")
        if written:
            say(
                f"W&B: {written} run{'s' * (written != 1)} offline in {workspace.path / 'wandb'}; "
                f"send with: wandb sync {workspace.path}/wandb/*run-*"
            )


class _Publication:
    """A complete run on its way to W&B."""

    def __init__(self, tracker: WandbTracker, wandb: Any, workspace: Workspace) -> None:
        self.tracker, self.wandb, self.workspace = tracker, wandb, workspace
        self.summary: dict[str, Any] = json.loads(workspace.summary.read_text())
        self.manifest = workspace.read_manifest()
        self.files = _Files.read(workspace)

    def attempt(self, system: str, mode: str) -> bool:
        """Write a system's run; whether that went well."""
        folder = self.workspace.path / "wandb"
        for former in folder.glob(f"*run-*-{self._id(system)}"):
            shutil.rmtree(former)  # the files of the run are the truth: a W&B run is always written from its start
        try:
            self._write(system, mode)
        except Exception as error:  # noqa: BLE001  W&B is a guest: whatever breaks in it leaves the run as it is
            words = (str(error).strip().splitlines() or [""])[0]
            did = "sent" if mode == "online" else "written"
            say(f"W&B: {system} was not {did}: {type(error).__name__}: {words[:200]}")
            self.end()  # its service would keep the run's id in use
            return False
        return True

    def _id(self, system: str) -> str:
        return run_id(self.summary["run"]["id"], self.summary["run"]["started"], system)

    def end(self) -> None:
        """Stop W&B's service process, unless somebody else's run is under way in this one."""
        if self.wandb.run is None:
            self.wandb.teardown()

    def _write(self, system: str, mode: str) -> None:
        wandb, about, tracker = self.wandb, self.summary["run"], self.tracker
        identity = self._id(system)
        run = wandb.init(
            project=tracker.project,
            entity=tracker.entity,
            id=identity,
            name=f"{about['id']} {system}",
            group=about["experiment"],
            job_type=system,
            tags=[str(tag)[:64] for tag in (system, about.get("model"), about.get("grid")) if tag],
            config=dict(flat_config(self.manifest, system)),
            dir=str(self.workspace.path),
            mode=mode,
            resume="allow" if mode == "online" else None,
            settings=wandb.Settings(
                silent=True,
                console="off",
                # Nothing of this machine goes along: its name, its paths, the address of its git remote.
                host="",
                disable_git=True,
                disable_code=True,
                save_code=False,
                x_disable_stats=True,
                x_disable_meta=True,
                x_disable_machine_info=True,
                init_timeout=tracker.init_timeout_seconds,
                finish_timeout=tracker.finish_timeout_seconds,
                finish_timeout_raises=True,
            ),
        )
        try:
            run.summary.update(dict(flat_summary(self.summary, system)))
            if tracker.samples != "none":
                rows = list(self.files.rows(system, references=tracker.samples == "full"))
                columns = list(rows[0]) if rows else []
                run.log({"samples": wandb.Table(columns=columns, data=[list(row.values()) for row in rows])})
            figure = _figure(self.summary, self.workspace.path / "wandb" / "grid.png")
            if figure is not None:
                run.log({"grid": wandb.Image(str(figure))})
            run.log_artifact(self._artifact(identity))
        finally:
            run.finish()

    def _artifact(self, identity: str) -> Any:
        """The result files. Manifest and report hold samples and config: they leave only where all may leave."""
        artifact = self.wandb.Artifact(f"{identity}-results", type="results")
        artifact.add_file(str(self.workspace.summary))
        if self.tracker.samples == "full":
            with artifact.new_file("manifest.json", encoding="utf-8") as file:
                json.dump(without_paths(self.manifest), file, ensure_ascii=False, indent=1)
            if (report := self.workspace.path / "report.html").exists():
                artifact.add_file(str(report))
        return artifact


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
                "error": without_paths(prediction.error or ""),
                "tokens_in": prediction.tokens_in,
                "tokens_out": prediction.tokens_out,
            }
            if references:
                row["reference"] = json.dumps(sample.reference, ensure_ascii=False)
            yield row | {metric: values.get(metric) for metric in metrics}


@contextmanager
def _own_folders(folder: Path) -> Iterator[None]:
    """W&B stages files in the user's home unless told otherwise: they belong to the run. The user's word goes first."""
    ours = {f"WANDB_{part}_DIR": str((folder / part.lower()).resolve()) for part in ("DATA", "CACHE", "ARTIFACT")}
    new = {name: value for name, value in {**ours, "WANDB_SILENT": "true"}.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


def _figure(summary: Mapping[str, Any], path: Path) -> Path | None:
    from bench.reporting.raster import png

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return png(summary, path)
    except Failure:  # no matplotlib
        return None
