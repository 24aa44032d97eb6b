"""Starts the process that talks to W&B, hears what came of it, and ends it when its time is up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from bench.tracking.settings import Settings
from bench.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent.parent
"""Where this very program is found, wherever the run was started."""
OVER = "over"
"""Said to a follower when the stages are behind the run, which may be published next."""


@dataclass(frozen=True)
class Told:
    """What came of one W&B run."""

    name: str
    """A system's or ``build``; empty: of all."""
    wrong: str | None = None


class Guest:
    """A process at work, and what it says."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        do: str,
        mode: str,
        names: Sequence[str] = (),
        troubled: Callable[[str], None] | None = None,
    ) -> None:
        """``troubled`` is told what goes wrong while nobody asks."""
        self._troubled = troubled
        self._log = workspace.path / "wandb" / "guest.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._told: SimpleQueue[Told | None] = SimpleQueue()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.tracking.guest"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for the run, which then leaves its guest
                env={**os.environ, "PYTHONPATH": path},
            )
        asked = {"do": do, "mode": mode, "names": names, "run": str(workspace.path.resolve())}
        self.say(json.dumps({**asked, "settings": asdict(settings)}))
        threading.Thread(target=self._hear, name="guest", daemon=True).start()

    def say(self, line: str) -> None:
        """A line for it; one that is no more is noticed by whoever listens."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def leave(self) -> None:
        """Let it end by itself, within the time that it has set itself: nobody waits for it."""
        assert self._process.stdin is not None
        self._troubled = None
        with suppress(OSError):
            self._process.stdin.close()

    def publishing(self, names: Sequence[str], seconds: float) -> Generator[Told]:
        """What came of each W&B run, of one that follows."""
        self._troubled = None
        self.say(json.dumps(names))
        return self.answers(seconds)

    def answers(self, seconds: float) -> Generator[Told]:
        """What it says until it ends, or is ended: after so many seconds in all, or because nobody asks on."""
        until, wrong = time.monotonic() + seconds, False
        try:
            while (told := self._told.get(timeout=max(until - time.monotonic(), 0))) is not None:
                wrong = wrong or bool(told.wrong)
                yield told
            code = self._process.wait()
            if code and not wrong:
                ended = f"signal {-code}" if code < 0 else f"exit code {code}"
                yield Told("", f"its process ended by {ended}{self._last_words()}")
        except Empty:
            yield Told("", f"not done within {seconds:g} s")
        finally:
            kill_family(self._process.pid)
            self._process.wait()
            self.leave()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout:
            for line in self._process.stdout:
                self._told.put(told := Told(**json.loads(line)))
                self._complain(told.wrong)
        self._process.wait()
        self._complain(f"its process ended{self._last_words()}")
        self._told.put(None)

    def _last_words(self) -> str:
        """Of its log."""
        lines = self._log.read_text(errors="replace").split("\n") if self._log.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        return f": {said[-1][:200]}" if said else ""

    def _complain(self, words: str | None) -> None:
        if words and (troubled := self._troubled):
            self._troubled = None
            troubled(words)


def kill_family(pid: int, *, children_only: bool = False) -> None:
    """A guest and W&B's service, which tries for ever to reach its server, even when its client is no more."""
    import psutil

    with suppress(psutil.Error):
        guest = psutil.Process(pid)
        for process in (*guest.children(recursive=True), *(() if children_only else (guest,))):
            process.kill()
