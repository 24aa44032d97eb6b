"""What the machine did meanwhile: this run's processors and memory, everybody else's processors, GPUs and energy."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.loading.gpus import Gpus
from systems.engines.guard import WATCH

SAMPLE_SECONDS = 0.25
LOOK_SECONDS = 3.0
"""Between looks for processes that are new: a look takes milliseconds."""
RAPL = Path("/sys/class/powercap")
HARNESS = "harness"
NAMES = (("VLLM::EngineCore", "engine core"), ("VLLM::", "engine worker"), (WATCH, "guard"))
"""What a process says of itself, and what it is called here; others go by their module, or by their program."""


@dataclass
class Usage:
    """Filled in when what is watched has ended."""

    seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """By process: ``harness``, and those it started by name. What ended meanwhile counts to when it was last seen, if
    it lived long enough to be."""
    peak_memory_mib: dict[str, float] = field(default_factory=dict)
    """Resident memory by process: the highest that was seen, sampled four times a second."""
    other_cpu_share: float = 0.0
    """Share of all processors that processes of others were using."""
    gpu_memory_mib: float | None = None
    """Highest use of the GPUs that this run may use, by whomever; ``None`` without one, or without NVML."""
    gpu_process_memory_mib: dict[str, float] | None = None
    """Of it, what this run's processes had, where the driver tells."""
    gpu_utilisation: float | None = None
    """Mean share of the time in which a kernel ran on them."""
    joules: dict[str, float] = field(default_factory=dict)
    """Energy of all the machine's ``processors`` (RAPL) and of the ``GPUs`` that this run may use (NVML), whoever used
    them; what the hardware does not tell is not here."""

    def to_json(self) -> dict[str, Any]:
        """Rounded, without what is not known."""

        def rounded(values: dict[str, float] | None, digits: int) -> dict[str, float] | None:
            return {name: round(value, digits) for name, value in values.items()} if values else None

        found = {
            "seconds": round(self.seconds, 3),
            "cpu_seconds": rounded(self.cpu_seconds, 3),
            "peak_memory_mib": rounded(self.peak_memory_mib, 1),
            "other_cpu_share": round(self.other_cpu_share, 4),
            "gpu_memory_mib": self.gpu_memory_mib and round(self.gpu_memory_mib, 1),
            "gpu_process_memory_mib": rounded(self.gpu_process_memory_mib, 1),
            "gpu_utilisation": None if self.gpu_utilisation is None else round(self.gpu_utilisation, 3),
            "joules": rounded(self.joules, 1),
        }
        return {name: value for name, value in found.items() if value is not None}


@contextlib.contextmanager
def watched() -> Iterator[Usage]:
    """Account for what happens inside."""
    usage = Usage()
    with Gpus.open() as gpus:
        watch = _Watch(usage, gpus)
        before, busy, energy, begun = dict(watch.seconds), _busy(), _energy(), time.monotonic()
        ended = threading.Event()
        sampling = threading.Thread(target=watch.sample, args=(ended,), daemon=True)
        sampling.start()
        try:
            yield usage
        finally:
            ended.set()
            sampling.join()
            usage.seconds = time.monotonic() - begun
            watch.look()
            for number, seconds in watch.seconds.items():
                name = watch.names[number]
                usage.cpu_seconds[name] = usage.cpu_seconds.get(name, 0.0) + seconds - before.get(number, 0.0)
            capacity = usage.seconds * (os.cpu_count() or 1)
            usage.other_cpu_share = max(0.0, (_busy() - busy - sum(usage.cpu_seconds.values())) / capacity)
            used = _energy()
            if energy is not None and used is not None and used >= energy:
                usage.joules["processors"] = used - energy
            if gpus is not None:
                usage.gpu_memory_mib = gpus.memory_mib
                usage.gpu_process_memory_mib = gpus.process_memory_mib
                usage.gpu_utilisation = gpus.utilisation
                if gpus.joules is not None:
                    usage.joules["GPUs"] = gpus.joules


class _Watch:
    """Looks at this process and at those it started, again and again."""

    def __init__(self, usage: Usage, gpus: Gpus | None) -> None:
        self.names: dict[int, str] = {}
        self.seconds: dict[int, float] = {}
        """Processor seconds of each process since it began, when last seen."""
        self._usage, self._gpus = usage, gpus
        self._processes: list[psutil.Process] = []
        self.look()

    def look(self) -> None:
        """Find the processes anew."""
        own = psutil.Process()
        self._processes = [own, *own.children(recursive=True)]
        for process in self._processes:
            with contextlib.suppress(psutil.Error):
                self.names[process.pid] = HARNESS if process == own else _name(process)
        self._read()

    def _read(self) -> None:
        memory: dict[str, float] = {}
        for process in self._processes:
            with contextlib.suppress(psutil.Error, KeyError):
                name = self.names[process.pid]
                times = process.cpu_times()
                self.seconds[process.pid] = times.user + times.system
                memory[name] = memory.get(name, 0.0) + process.memory_info().rss / 2**20
        for name, value in memory.items():
            self._usage.peak_memory_mib[name] = max(value, self._usage.peak_memory_mib.get(name, 0.0))

    def sample(self, ended: threading.Event) -> None:
        """Look until it has ended."""
        looked = time.monotonic()
        while True:
            self._read()
            if self._gpus is not None:
                self._gpus.sample(self.names)
            if ended.wait(SAMPLE_SECONDS):
                return
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self.look()


def _name(process: psutil.Process) -> str:
    words = process.cmdline()
    said = " ".join(words)
    known = next((name for sign, name in NAMES if sign in said), None)
    module = words[words.index("-m") + 1] if "-m" in words[:-1] else None
    return known or module or ("engine" if "multiprocessing" in said else process.name())


def _busy() -> float:
    """Processor seconds of everybody since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _energy() -> float | None:
    """Joules of all processor packages, where they may be read."""
    found = []
    for path in RAPL.glob("intel-rapl:?"):
        try:
            found.append(int((path / "energy_uj").read_text()) / 1e6)
        except (OSError, ValueError):
            return None
    return sum(found) if found else None
