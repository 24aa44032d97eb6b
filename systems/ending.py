"""Signals that ask a process to end, held back while it brings itself to where it can go on from."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR2)
"""What schedulers send before they take a job's place: to end it, or as announced with ``--signal=USR2``."""


@dataclass
class Ending:
    """Whether this process was asked to end."""

    signal: int | None = None

    @property
    def asked(self) -> bool:
        return self.signal is not None

    def ask(self) -> None:
        """As a signal would."""
        self.signal = self.signal or signal.SIGTERM


@contextmanager
def held_back(tell: Callable[[], object] = lambda: None) -> Iterator[Ending]:
    """Within, such a signal is only noted: look at ``asked`` often. Afterwards the process ends (128 + the signal).

    ``tell`` is called at every such signal, at once.
    """
    ending = Ending()
    if threading.current_thread() is not threading.main_thread():  # signals are none of a thread's business
        yield ending
        return

    def note(number: int, frame: FrameType | None) -> None:
        ending.signal = number
        tell()

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if ending.signal is not None:
        sys.exit(128 + ending.signal)


@contextmanager
def kept_out() -> Iterator[None]:
    """Within, such signals wait; in a process that is started here, until it lets them in."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_in() -> None:
    """Take such signals, those that have waited first."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
