"""Notes to points: a thread makes them every few seconds, so that a run pays an append to a list per step."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median
from typing import Any

from bench.journal import Journal
from bench.observing import Note
from bench.progress import say
from bench.tracking.points import BUILD
from systems.base import Failure


class Meter:
    """An observer: takes notes, and writes what they come to."""

    def __init__(self, journal: Journal, every_seconds: float) -> None:
        self._journal, self._every = journal, every_seconds
        self._notes: deque[Note] = deque()
        self._rates: dict[tuple[str, str, str], float] = {}
        """When the last point of a stage was made."""
        self._times: dict[tuple[str, str], list[float]] = {}
        """Latencies of a load so far."""
        self._trained: dict[str, int] = {}
        """Steps of training whose loss stands in the journal, of an attempt that was killed perhaps."""
        for line in journal.records:
            for key, value in line["values"].items():
                if key.startswith("training/") and key.endswith("/step"):
                    self._trained[key.split("/")[1]] = value
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)
        self._thread.start()

    def __call__(self, seen: Note) -> None:
        self._notes.append(seen)

    def close(self) -> None:
        """Write the rest."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            over = False
            while not over:
                over = self._over.wait(self._every)
                for writer, values in self.points([self._notes.popleft() for _ in range(len(self._notes))]):
                    self._journal.append({"writer": writer, "values": values})
        except Failure as error:  # a full disk is for the run itself to complain about
            say(f"W&B: no more live metrics: {error}")
            self._notes = deque(maxlen=0)

    def points(self, notes: Sequence[Note]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The points of the notes since the last time: each step of training, one of anything else."""
        for (stage, system, mode), found in groupby(notes, key=lambda one: (one.stage, one.system, one.mode)):
            seen = list(found)
            last = seen[-1]
            if stage == "index":
                yield BUILD, {"index/chunks": last.done, "index/planned": last.of}
            elif stage == "training":
                for one in seen:
                    if one.done > self._trained.get(system, 0):
                        yield BUILD, {f"training/{system}/step": one.done, f"training/{system}/loss": one.loss}
            elif stage == "generate":
                yield (
                    system,
                    {
                        "generate/done": last.done,
                        "generate/planned": last.of,
                        "generate/failures": last.failures,
                        **self._rate(seen),
                    },
                )
            elif stage == "load":
                times = self._times.setdefault((system, mode), [])
                for one in seen:
                    if one.done == 1:  # the condition once more, in another block
                        times.clear()
                    times += [] if one.seconds is None else [one.seconds]
                yield (
                    system,
                    {
                        "load/mode": mode,
                        "load/done": last.done,
                        "load/planned": last.of,
                        "load/failures": last.failures,
                        "load/in_flight": last.in_flight,
                        **({"load/p50": median(times)} if times else {}),
                        **self._rate(seen),
                    },
                )

    def _rate(self, seen: Sequence[Note]) -> dict[str, float]:
        """Steps per second since the point before; the first step of a stage or block only says when it began."""
        last = seen[-1]
        key = last.stage, last.system, last.mode
        begins = [at for at, one in enumerate(seen) if one.done == 1] or ([] if key in self._rates else [0])
        first = begins[-1] if begins else -1
        seconds = last.at - (self._rates[key] if first < 0 else seen[first].at)
        self._rates[key] = last.at
        return {f"{last.stage}/per_second": (len(seen) - 1 - first) / seconds} if seconds > 0 else {}
