"""Progress on everything long: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any


class Progress:
    """Counts up to ``total``; ``step`` after each unit of work."""

    def __init__(self, what: str, total: int, done: int = 0, every_seconds: float = 10.0) -> None:
        self.what, self.total, self.done = what, total, done
        self._every = every_seconds
        self._started = self._said = time.monotonic()
        self._first = done
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, initial=done, desc=what, leave=False)

    def step(self, note: str = "") -> None:
        """One more unit is done."""
        self.done += 1
        if self._bar is not None:
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update()
            return
        now = time.monotonic()
        if now - self._said >= self._every:
            self._said = now
            rate = (self.done - self._first) / (now - self._started)
            left = (self.total - self.done) / rate if rate else 0.0
            say(f"  {self.what}: {self.done}/{self.total}, about {left:.0f} s left{f', {note}' if note else ''}")

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        if kind is None and self.done > self._first:
            say(f"  {self.what}: {self.done}/{self.total} in {time.monotonic() - self._started:.1f} s")


def say(text: str) -> None:
    """A line for the person who waits; results go to standard output, this to standard error."""
    print(text, file=sys.stderr, flush=True)
