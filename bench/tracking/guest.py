"""``python -m bench.tracking.guest``: everything that talks to W&B, in a process of its own.

A run never imports W&B, so nothing in it can block, slow or break the run: what takes too long is killed. The request
is one line of JSON on standard input; what came of each W&B run is a line of JSON on standard output. What W&B and
Python say besides is in the run's ``wandb/guest.log``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from bench.tracking.hosting import kill_family
from bench.tracking.login import own_folders
from bench.tracking.points import Tail, by_writer, points_file
from bench.tracking.publication import Publication, Tell, publish, words
from bench.tracking.settings import Settings
from bench.tracking.views import save_report, save_workspace
from bench.tracking.writer import Writer
from bench.workspace import Workspace
from systems.lease import held


class Follower:
    """Sends points as they are written down, until standard input ends."""

    def __init__(self, wandb: Any, workspace: Workspace, settings: Settings) -> None:
        self._wandb, self._workspace, self._settings = wandb, workspace, settings
        self._tail = Tail(points_file(workspace))
        self._lines: list[dict[str, Any]] = []
        self.writers: dict[str, Writer] = {}

    def send(self) -> None:
        """What was written down since the last time."""
        if not (new := self._tail.new()):
            return
        self._lines += new
        points = by_writer(self._lines)
        for name in dict.fromkeys(line["writer"] for line in new):
            if name not in self.writers:
                self.writers[name] = Writer(self._wandb, self._workspace, self._settings, name, "online", live=True)
            self.writers[name].log(points[name])

    def finish(self, whole: bool) -> None:
        """End all W&B runs that are open."""
        for writer in self.writers.values():
            writer.finish(whole=whole)


def follow(wandb: Any, workspace: Workspace, settings: Settings, mode: str, told: Tell) -> None:
    """Until the run says that its stages are over, or is no more; then publish it, if it is to be. Offline there is
    nothing to send before that."""
    _warm(wandb)
    follower, lines = Follower(wandb, workspace, settings), SimpleQueue[str]()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        lines.put("")

    threading.Thread(target=listen, daemon=True).start()
    while True:
        try:
            word = lines.get(timeout=settings.every_seconds)
            break
        except Empty:
            if mode == "online":
                follower.send()
    if mode == "online":
        follower.send()
    if word and (names := lines.get()):
        publish(Publication(wandb, workspace, settings, follower.writers), json.loads(names), mode, told)
    # Whatever W&B does now, it does no longer than this.
    threading.Timer(settings.finish_timeout_seconds + settings.init_timeout_seconds, leave, (1,)).start()
    follower.finish(whole=bool(word))


def _warm(wandb: Any) -> None:
    """Load what the end will need while the run is busy with other things."""
    import bench.tracking.figures  # noqa: F401

    wandb.Table(columns=["sample"], data=[["first"]])
    with suppress(ModuleNotFoundError):
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401


def main() -> int:
    """Reads the request, does it, and says one line of what went wrong."""
    asked = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what W&B and its service print goes to the log, and none of them holds the way of the answers open
    workspace, settings = Workspace(Path(asked["run"])), Settings(**asked["settings"])
    folder = workspace.path / "wandb"

    def told(name: str, wrong: str | None) -> None:
        print(json.dumps({"name": name, "wrong": wrong}), file=answers, flush=True)

    folder.mkdir(parents=True, exist_ok=True)
    # One at a time writes a run to W&B: the one that follows it ends before it is published or gone on with.
    with held(folder / ".lease"), own_folders(folder):
        try:
            import wandb
        except ModuleNotFoundError:
            told("", "not installed; pip install wandb, or tracker=none")
            return 1
        try:
            if asked["do"] == "follow":
                follow(wandb, workspace, settings, asked["mode"], told)
            elif asked["do"] == "report":
                told(save_report(workspace, settings), None)
            elif asked["do"] == "workspace":
                told(save_workspace(settings, asked["names"]), None)
            else:
                publish(Publication(wandb, workspace, settings), asked["names"], asked["mode"], told)
        except Exception as error:  # noqa: BLE001  said in one line by whoever asked
            told("", words(error))
            return 1
        if asked["do"] == "publish" or asked["mode"] == "offline":
            wandb.teardown()  # W&B's service has written all that it was given once it has ended
    return 0


def leave(code: int) -> None:
    """At once, past W&B's own last words, which may wait for the network."""
    kill_family(os.getpid(), children_only=True)
    os._exit(code)


if __name__ == "__main__":
    leave(main())
