"""Tells W&B of a run: live while it builds, generates and loads, and whole once it is complete.

The run's files are the truth: points are written down first and sent by a process of its own, and the rest follows
from the journals when all is there. A W&B that cannot be reached never stops or slows a run: it is said in one line,
and what was not sent is sent later by ``bench sync``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from bench.journal import Journal
from bench.observing import observed
from bench.progress import say
from bench.tracking.hosting import OVER, Guest
from bench.tracking.login import mode
from bench.tracking.meter import Meter
from bench.tracking.points import points_file
from bench.tracking.sent import mark, unsent
from bench.tracking.settings import Settings
from bench.workspace import Workspace

DISK_SECONDS = 300.0
"""For writing offline, which waits for no network: a large run on a busy machine takes its time."""


@dataclass(frozen=True)
class Came:
    """What came of writing W&B runs: those that are written, those that are not, and why."""

    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    wrong: str = ""


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
            stack.enter_context(self._followed(workspace, wanted))
            journal = stack.enter_context(Journal(points_file(workspace)))
            meter = Meter(journal, self.every_seconds)
            stack.callback(meter.close)
            stack.enter_context(observed(meter))
            yield

    @contextmanager
    def _followed(self, workspace: Workspace, wanted: str) -> Iterator[None]:
        path = workspace.path

        def troubled(words: str) -> None:
            self.unreached.add(path)
            if wanted == "online":
                say(f"W&B: no live metrics, the run goes on offline: {words}")

        self.leave(workspace)
        self.guests[path] = Guest(workspace, self.settings, "follow", wanted, troubled=troubled)
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
        """Write the W&B runs of a complete run, in bounded time. Trouble is said in one line and does not fail the run:
        what was not sent is written offline, and the line says how to send it."""
        wanted, why = mode(self.mode), ""
        if wanted == "disabled":
            say("W&B: disabled by $WANDB_MODE")
            return
        if workspace.path in self.unreached:
            self.leave(workspace)
            wanted = "offline"
        if not (names := unsent(workspace, self)):
            self.leave(workspace)
            return
        came = self.write(workspace, names, wanted, self.finish_timeout_seconds if wanted == "online" else DISK_SECONDS)
        if wanted == "online":
            if came.done:
                say(f"W&B: {_runs(came.done)} sent")
            if not came.left:
                return
            why = f"{', '.join(came.left)} not sent: {came.wrong}; "
            came = self.write(workspace, came.left, "offline", DISK_SECONDS)
        if came.left:
            why += f"{', '.join(came.left)} not written: {came.wrong}; "
        if came.done:
            why += f"{_runs(came.done)} offline in {workspace.path / 'wandb'}; "
        say(f"W&B: {why}send with: bench sync {workspace.path}")

    def write(self, workspace: Workspace, names: Sequence[str], wanted: str, seconds: float) -> Came:
        """Write W&B runs, all within ``seconds``, and mark what the server holds then."""
        if not names:
            return Came()
        if follower := self.guests.pop(workspace.path, None):  # its W&B runs are open
            answers = follower.publishing(names, seconds)
        else:
            settings = replace(self.settings, finish_timeout_seconds=seconds)
            answers = Guest(workspace, settings, "publish", wanted, names).answers(seconds)
        done, wrong = [], "its process ended early"
        with closing(answers):
            for one in answers:
                if one.wrong:
                    wrong = f"{one.name}: {one.wrong}" if one.name else one.wrong
                    continue
                done.append(one.name)
                if wanted == "online":
                    mark(workspace, self, one.name)
                if wanted == "online" and len(done) == len(names):
                    break  # the server has all, so it is ended; offline, W&B's service may still be writing
        return Came(tuple(done), tuple(name for name in names if name not in done), wrong)


def _runs(names: Sequence[str]) -> str:
    return f"{len(names)} run{'s' * (len(names) != 1)}"
