"""Progress on everything long: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


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

    def step(self, note: str = "", units: int = 1) -> None:
        """One more unit is done, or several."""
        self.done += units
        if self._bar is not None:
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(units)
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


class Told:
    """Progress for work that tells how much is done, of how much: it is known at the first word."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._progress: Progress | None = None

    def __call__(self, done: int, of: int, note: str = "") -> None:
        if self._progress is None:
            self._progress = Progress(self._what, of)
        self._progress.step(note, done - self._progress.done)

    def __enter__(self) -> Told:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.__exit__(kind, error, trace)


def counted(what: str, items: Sequence[T]) -> Iterator[T]:
    """The items, with progress."""
    with Progress(what, len(items)) as progress:
        for item in items:
            yield item
            progress.step()


def say(text: str) -> None:
    """A line for the person who waits; results go to standard output, this to standard error."""
    print(text, file=sys.stderr, flush=True)
