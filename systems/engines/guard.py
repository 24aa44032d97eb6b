"""Ends an engine's processes when the process that started them dies, however it dies.

A killed process (kill -9, out of memory) runs no clean-up, and vLLM's engine core would live on with all its memory,
so that the next run could not start. A pipe tells: reading it comes to an end once nobody holds its writing end.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

WATCH = """
import os, signal, sys
pipe, *processes = map(int, sys.argv[1:])
if os.read(pipe, 1) == b"":
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
"""


@dataclass(frozen=True)
class Guard:
    """Watches until ``release`` is called; a guard that is forgotten watches to the end."""

    pipe: int
    watcher: subprocess.Popen[bytes]

    @classmethod
    def over(cls, processes: Collection[int]) -> Guard:
        """Watch over these processes, by their ids."""
        reading, writing = os.pipe()
        # A session of its own: what kills this process's group must not kill the watcher too.
        watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCH, str(reading), *map(str, processes)],
            pass_fds=[reading],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(reading)
        return cls(writing, watcher)

    def release(self) -> None:
        """The processes have ended by themselves."""
        os.write(self.pipe, b".")
        os.close(self.pipe)
        self.watcher.wait()


@contextmanager
def children() -> Iterator[list[int]]:
    """Collects the ids of the processes that ``multiprocessing`` starts inside the block."""
    before = {process.pid for process in multiprocessing.active_children()}
    found: list[int] = []
    yield found
    found += [one.pid for one in multiprocessing.active_children() if one.pid is not None and one.pid not in before]
