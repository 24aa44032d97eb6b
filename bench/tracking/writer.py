"""One W&B run: opened by an id that is the same each time, and told the points that it does not hold yet."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.tracking.flat import flat_config, group, run_id, tags
from bench.tracking.lineage import Lineage
from bench.tracking.points import Values
from bench.tracking.privacy import cleared
from bench.tracking.settings import Settings
from bench.workspace import Workspace
from systems.base import Failure

PUBLISHED = "published"
"""The point at which tables and figures stand, and a key of the summary; its value names the content."""


class Writer:
    """A W&B run under way. ``name`` is a system's or ``build``; ``mode`` is ``online`` or ``offline``."""

    def __init__(
        self, wandb: Any, workspace: Workspace, settings: Settings, name: str, mode: str, *, live: bool = False
    ) -> None:
        """``live``: there is time to try again until a server is back."""
        manifest = cleared(workspace.read_manifest())
        run = workspace.path.name
        self.name, self.identity = name, run_id(run, manifest["started"], name)
        self.online = mode == "online"
        self._wandb, self._settings = wandb, settings
        self.run = wandb.init(
            project=settings.project,
            entity=settings.entity,
            id=self.identity,
            name=cleared(f"{run} {name}"),
            group=group(manifest),
            job_type=name,
            tags=tags(manifest, name),
            config=flat_config(manifest, name),
            dir=str(workspace.path),
            mode=mode,
            resume="allow" if self.online else None,
            reinit="create_new",
            settings=_quiet(wandb, settings, live=live),
        )
        self.step: int = self.run.starting_step if self.online else 0
        """The next step that W&B does not hold."""

    def log(self, points: Sequence[Values]) -> None:
        """All points of the run so far: those that W&B holds are passed over."""
        for step in range(self.step, len(points)):
            if PUBLISHED not in points[step]:
                self.run.log(cleared(points[step]), step=step, commit=True)
        self.step = max(self.step, len(points))

    def take(self, manifest: Mapping[str, Any], lineage: Lineage) -> None:
        """Say what the run rests on and what it made; offline, what it rests on is said by name alone.

        The manifest has grown since the run was opened live: what was built stands there now.
        """
        config = {**flat_config(manifest, self.name), "lineage": lineage.names}
        self.run.config.update(config, allow_val_change=True)
        for thing in lineage.used if self.online else ():
            self.run.use_artifact(thing.artifact(self._wandb))
        for thing in lineage.made:
            self.give(thing.artifact(self._wandb))

    def give(self, artifact: Any) -> None:
        """An artifact that the run made; online, raises ``ValueError`` if the server does not take it."""
        made = self.run.log_artifact(artifact)
        if self.online:
            made.wait(math.ceil(self._settings.finish_timeout_seconds))

    def finish(self, *, whole: bool = True) -> None:
        """End it; a run that was cut short is marked so, and goes on when it is opened again."""
        self.run.finish(exit_code=0 if whole else 1)

    def holds(self, content: str) -> bool:
        """Whether all of this content was sent before: it is said last."""
        return self.online and self.run.summary.get(PUBLISHED) == content

    def arrived(self, content: str) -> None:
        """Raises ``Failure`` unless the server holds what was sent: the client gives up on a refusal without a word."""
        seconds = self._settings.init_timeout_seconds
        until = time.monotonic() + seconds
        found = self._wandb.Api(timeout=math.ceil(seconds)).run(self.run.path)
        while found.summary_metrics.get(PUBLISHED) != content:
            if time.monotonic() > until:
                raise Failure("the server did not take all of it")
            time.sleep(0.5)
            found.load(force=True)


def former(workspace: Workspace, identity: str) -> list[Path]:
    """What earlier attempts to write a W&B run left."""
    return list((workspace.path / "wandb").glob(f"*run-*-{identity}"))


def _quiet(wandb: Any, settings: Settings, *, live: bool) -> Any:
    """Nothing of this machine goes along: its name, paths, git remote, packages. Nothing is tried for ever."""
    bounded = {} if live else {"x_file_stream_retry_max": 2, "x_file_stream_retry_wait_max_seconds": 5}
    return wandb.Settings(
        silent=True,
        console="off",
        host="",
        disable_git=True,
        disable_code=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        x_file_stream_transmit_interval=float(round(settings.every_seconds)),
        x_graphql_timeout_seconds=settings.init_timeout_seconds,
        x_file_stream_timeout_seconds=settings.init_timeout_seconds,
        x_graphql_retry_max=2,
        x_file_transfer_retry_max=2,
        x_graphql_retry_wait_max_seconds=5,
        x_file_transfer_retry_wait_max_seconds=5,
        init_timeout=settings.init_timeout_seconds,
        finish_timeout=settings.finish_timeout_seconds,
        finish_timeout_raises=True,
        **bounded,
    )
