"""Signals that ask a process to end, held back while it brings itself to where it can go on from."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
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


@contextmanager
def held_back() -> Iterator[Ending]:
    """Within, such a signal is only noted: look at ``asked`` often. Afterwards the process ends (128 + the signal)."""
    ending = Ending()
    if threading.current_thread() is not threading.main_thread():  # signals are none of a thread's business
        yield ending
        return

    def note(number: int, frame: FrameType | None) -> None:
        ending.signal = number

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if ending.signal is not None:
        sys.exit(128 + ending.signal)
