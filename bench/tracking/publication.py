"""A complete run as W&B runs: one per system and one of the build, written from the run's files alone."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bench.journal import Journal
from bench.tracking.flat import flat_summary, run_id
from bench.tracking.lineage import lineage
from bench.tracking.login import staged_apart
from bench.tracking.points import BUILD, points_file, read_points
from bench.tracking.privacy import cleared, without_secrets
from bench.tracking.rows import SampleRows
from bench.tracking.settings import Settings
from bench.tracking.writer import PUBLISHED, Writer, former
from bench.workspace import Workspace
from systems.base import Failure


class Publication:
    """A complete run on its way to W&B."""

    def __init__(
        self, wandb: Any, workspace: Workspace, settings: Settings, writers: dict[str, Writer] | None = None
    ) -> None:
        """``writers``: W&B runs that are open, since somebody followed the run; they are taken out as they end."""
        self.writers = {} if writers is None else writers
        self.wandb, self.workspace, self.settings = wandb, workspace, settings
        self.summary: dict[str, Any] = cleared(json.loads(workspace.summary.read_text(encoding="utf-8")))
        self.manifest: dict[str, Any] = cleared(workspace.read_manifest())
        self.rows = SampleRows.read(workspace)
        self.content = content(workspace, settings)
        self.retrieving = {one.system for one in self.rows.predictions if one.retrieves}
        self._figures: dict[str, Path] | None = None

    def write(self, name: str, mode: str) -> None:
        """Write one, whatever was written of it before. Raises whatever W&B raises, and ``Failure`` where the server
        does not hold all of it then."""
        writer = self.writers.pop(name, None) or self._open(name, mode)
        whole = False
        try:
            if name != BUILD:
                writer.run.summary.update(flat_summary(self.summary, name))
                if not writer.holds(self.content):
                    step = self._step(name, writer.step)
                    writer.log(read_points(self.workspace)[name][:step])
                    writer.run.log(dict(self._media(name)), step=step, commit=True)
            writer.log(read_points(self.workspace).get(name, []))
            writer.take(self.manifest, lineage(self.manifest, name, retrieves=name in self.retrieving))
            if name != BUILD:
                writer.give(self._results(writer.identity))
            writer.run.summary[PUBLISHED] = self.content
            whole = True
        finally:
            writer.finish(whole=whole)
        if writer.online:
            writer.arrived(self.content)

    def _open(self, name: str, mode: str) -> Writer:
        for directory in former(self.workspace, run_id(self.workspace.path.name, self.manifest["started"], name)):
            shutil.rmtree(directory)  # the files of the run are the truth: none has to be kept
        return Writer(self.wandb, self.workspace, self.settings, name, mode)

    def _step(self, name: str, least: int) -> int:
        """The step of this content's tables and figures, of those that W&B does not hold yet; noted before they are
        sent, so that it is never another's."""
        points = read_points(self.workspace).get(name, [])
        for step, values in enumerate(points):
            if step >= least and values.get(PUBLISHED) == self.content:
                return step
        with Journal(points_file(self.workspace)) as journal:
            journal.append({"writer": name, "values": {PUBLISHED: self.content}})
        return len(points)

    def _media(self, name: str) -> Iterator[tuple[str, Any]]:
        wandb, samples = self.wandb, self.settings.samples
        if samples != "none":
            rows = self.rows.rows(name, texts=samples == "full")
            columns = list(rows[0]) if rows else []
            yield "samples", wandb.Table(columns=columns, data=[list(row.values()) for row in rows])
        for figure, path in self.figures().items():
            yield f"figures/{figure}", wandb.Image(str(path))

    def figures(self) -> dict[str, Path]:
        """Pictures of the whole run, drawn once; none without matplotlib."""
        if self._figures is None:
            from bench.tracking.figures import draw

            try:
                self._figures = draw(self.summary, self.workspace.path / "wandb" / "figures")
            except Failure:
                self._figures = {}
        return self._figures

    def _results(self, identity: str) -> Any:
        """The result files. Manifest and report hold samples and config: they leave only where all may leave."""
        artifact = self.wandb.Artifact(f"{identity}-results", type="results")
        full = self.settings.samples == "full"
        files: dict[str, Mapping[str, Any]] = {"summary.json": self.summary if full else self._numbers()}
        if full:
            files["manifest.json"] = self.manifest
        for name, data in files.items():
            with artifact.new_file(name, encoding="utf-8") as file:
                json.dump(data, file, ensure_ascii=False, indent=1)
        if full and (report := self.workspace.path / "report.html").exists():
            with artifact.new_file("report.html", encoding="utf-8") as file:
                file.write(without_secrets(report.read_text(encoding="utf-8")))
        return artifact

    def _numbers(self) -> dict[str, Any]:
        """The summary without words about samples: findings may quote questions."""
        return {**self.summary, "run": {key: value for key, value in self.summary["run"].items() if key != "findings"}}


def content(workspace: Workspace, settings: Settings) -> str:
    """Names what there is to send of a run."""
    digest = hashlib.sha256(settings.samples.encode())
    for path in (workspace.summary, workspace.samples, workspace.predictions, workspace.scores, workspace.manifest):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]


Tell = Callable[[str, str | None], None]
"""A W&B run's name, and what went wrong."""


def publish(publication: Publication, names: Sequence[str], mode: str, told: Tell) -> None:
    """Write W&B runs; a server that failed once is not waited for again."""
    for name in names:
        try:
            with staged_apart(publication.workspace.path / "wandb") if mode == "online" else nullcontext():
                publication.write(name, mode)
        except Exception as error:  # noqa: BLE001  W&B is a guest: whatever breaks in it leaves the run as it is
            told(name, words(error))
            if mode == "online":
                return
        else:
            told(name, None)


def words(error: Exception) -> str:
    """An error in one line."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"
