"""Tells W&B of a run: live while it builds, generates and loads, and whole once it is complete.

The run's files are the truth: points are written down first and sent by a process of its own, and the rest follows
from the journals when all is there. A W&B that cannot be reached never stops or slows a run: it is said in one line,
and what was not sent is sent later by ``bench sync``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path

from bench.journal import Journal
from bench.observing import observed
from bench.progress import say
from bench.tracking.hosting import OVER, Guest, Told
from bench.tracking.login import mode
from bench.tracking.meter import Meter
from bench.tracking.points import points_file
from bench.tracking.sent import mark, unsent
from bench.tracking.settings import Settings
from bench.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class WandbTracker(Settings):
    """One W&B run per system, and one of the build that they share."""

    guests: dict[Path, Guest] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Those that follow a run."""
    unreached: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)
    """Runs whose server did not answer: it is not waited for again."""

    @contextmanager
    def live(self, workspace: Workspace) -> Iterator[None]:
        """Follow the stages inside."""
        wanted = mode(self.mode)
        if wanted == "disabled":
            yield
            return
        with ExitStack() as stack:
            if wanted == "online":
                stack.enter_context(self._followed(workspace))
            journal = stack.enter_context(Journal(points_file(workspace)))
            meter = Meter(journal, self.every_seconds)
            stack.callback(meter.close)
            stack.enter_context(observed(meter))
            yield

    @contextmanager
    def _followed(self, workspace: Workspace) -> Iterator[None]:
        path = workspace.path

        def troubled(words: str) -> None:
            self.unreached.add(path)
            say(f"W&B: no live metrics, the run goes on offline: {words}")

        self.leave(workspace)
        self.guests[path] = Guest(workspace, self.settings, "follow", "online", troubled=troubled)
        try:
            yield
        except BaseException:
            self.leave(workspace)  # without a word: the W&B runs are marked as cut short
            raise
        self.guests[path].say(OVER)

    def leave(self, workspace: Workspace) -> None:
        """Nothing more will be said of a run: who follows it ends, at the latest with this process."""
        if guest := self.guests.pop(workspace.path, None):
            guest.leave()

    @property
    def settings(self) -> Settings:
        """Those alone, for another process."""
        return Settings(**{one.name: getattr(self, one.name) for one in fields(Settings)})

    def publish(self, workspace: Workspace) -> None:
        """Write the W&B runs of a complete run. Trouble is said in one line and does not fail the run."""
        wanted = mode(self.mode)
        if wanted == "disabled":
            say("W&B: disabled by $WANDB_MODE")
            return
        if workspace.path in self.unreached:
            wanted = "offline"
        told = self.write(workspace, wanted)
        if wanted == "online" and told and not told[-1].name:  # it was ended before it could go offline by itself
            told += self.write(workspace, "offline")
        sent = sum(one.mode == "online" and not one.wrong for one in told)
        written = sum(one.mode == "offline" and not one.wrong for one in told)
        for one in told:
            if one.wrong:
                what = one.name or "run"
                say(f"W&B: {what} was not {'sent' if one.mode == 'online' else 'written'}: {one.wrong}")
        if sent:
            say(f"W&B: {sent} run{'s' * (sent != 1)} sent")
        if written:
            say(
                f"W&B: {written} run{'s' * (written != 1)} offline in {workspace.path / 'wandb'}; "
                f"send with: bench sync {workspace.path}"
            )

    def write(self, workspace: Workspace, wanted: str, *, fall_back: bool = True) -> list[Told]:
        """What came of each W&B run that the server does not hold as it is; what was sent is marked so.

        ``fall_back``: after a failure the others are written offline; without it nothing more is done.
        """
        names, found = unsent(workspace, self), []
        if not names:
            self.leave(workspace)
            return []
        follower = self.guests.pop(workspace.path, None)
        if follower and wanted == "online":  # its W&B runs are open
            answers = follower.publishing(names)
        else:
            answers = Guest(workspace, self.settings, "publish", wanted, names).answers()
        with closing(answers):
            for one in answers:
                found.append(one)
                if one.wrong and not fall_back:
                    break
                if one.mode == "online" and one.name and not one.wrong:
                    mark(workspace, self, one.name)
        return found
