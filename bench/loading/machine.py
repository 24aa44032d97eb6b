"""What the machine did meanwhile: this run's processors and memory, everybody else's processors, GPUs and energy."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

SAMPLE_SECONDS = 0.25
LOOK_SECONDS = 3.0
"""Between looks for processes that are new: a look takes milliseconds."""
RAPL = Path("/sys/class/powercap")


@dataclass
class Usage:
    """Filled in when what is watched has ended."""

    seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """By process: ``harness``, and the engine's by name."""
    peak_memory_mib: dict[str, float] = field(default_factory=dict)
    """Resident memory by process: the highest that was seen, sampled four times a second."""
    other_cpu_share: float = 0.0
    """Share of all processors that processes of others were using."""
    gpu_memory_mib: float | None = None
    """Highest use over all GPUs; ``None`` without one, or without NVML."""
    gpu_utilisation: float | None = None
    """Mean share of the time in which a kernel ran."""
    energy_joules: float | None = None
    """Of processors (RAPL) and GPUs (NVML), where the hardware tells it."""

    def to_json(self) -> dict[str, Any]:
        """Rounded, without what is not known."""
        found = {
            "seconds": round(self.seconds, 3),
            "cpu_seconds": {name: round(value, 3) for name, value in self.cpu_seconds.items()},
            "peak_memory_mib": {name: round(value, 1) for name, value in self.peak_memory_mib.items()},
            "other_cpu_share": round(self.other_cpu_share, 4),
            "gpu_memory_mib": self.gpu_memory_mib,
            "gpu_utilisation": self.gpu_utilisation,
            "energy_joules": self.energy_joules,
        }
        return {name: value for name, value in found.items() if value is not None}


@contextlib.contextmanager
def watched() -> Iterator[Usage]:
    """Account for what happens inside."""
    usage = Usage()
    before, busy, joules, begun = _cpu(_processes()), _busy(), _energy(), time.monotonic()
    gpus = _Gpus.open()
    ended = threading.Event()
    sampling = threading.Thread(target=_sample, args=(usage, gpus, ended), daemon=True)
    sampling.start()
    try:
        yield usage
    finally:
        ended.set()
        sampling.join()
        usage.seconds = time.monotonic() - begun
        for key, seconds in _cpu(_processes()).items():
            spent = seconds - before.get(key, 0.0)
            usage.cpu_seconds[key[1]] = usage.cpu_seconds.get(key[1], 0.0) + spent
        capacity = usage.seconds * (os.cpu_count() or 1)
        usage.other_cpu_share = max(0.0, (_busy() - busy - sum(usage.cpu_seconds.values())) / capacity)
        used = _energy()
        if joules is not None and used is not None and used >= joules:
            usage.energy_joules = round(used - joules, 1)
        if gpus is not None:
            gpus.close(usage)


def _processes() -> list[tuple[str, psutil.Process]]:
    """This process and those it started, by name."""
    own = psutil.Process()
    found = [("harness", own)]
    for child in own.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words = " ".join(child.cmdline())
            found.append(("engine" if "VLLM" in words or "multiprocessing" in words else child.name(), child))
    return found


def _cpu(processes: Sequence[tuple[str, psutil.Process]]) -> dict[tuple[int, str], float]:
    """Processor seconds so far, by process number and name."""
    found = {}
    for name, process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            found[process.pid, name] = times.user + times.system
    return found


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


def _sample(usage: Usage, gpus: _Gpus | None, ended: threading.Event) -> None:
    looked, processes = -math.inf, []
    while True:
        if time.monotonic() - looked > LOOK_SECONDS:
            looked, processes = time.monotonic(), _processes()
        memory: dict[str, float] = {}
        for name, process in processes:
            with contextlib.suppress(psutil.Error):
                memory[name] = memory.get(name, 0.0) + process.memory_info().rss / 2**20
        for name, value in memory.items():
            usage.peak_memory_mib[name] = max(value, usage.peak_memory_mib.get(name, 0.0))
        if gpus is not None:
            gpus.sample()
        if ended.wait(SAMPLE_SECONDS):
            return


class _Gpus:
    """NVIDIA's own library, where it is installed and finds a driver."""

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        self._handles = [nvml.nvmlDeviceGetHandleByIndex(at) for at in range(nvml.nvmlDeviceGetCount())]
        self._memory = 0.0
        self._shares: list[float] = []
        self._joules = self._spent()

    @classmethod
    def open(cls) -> _Gpus | None:
        try:
            import pynvml

            pynvml.nvmlInit()
            return cls(pynvml)
        except Exception:  # noqa: BLE001 - not installed, no driver, or none it knows: then there is nothing to tell
            return None

    def _spent(self) -> float | None:
        try:
            return sum(self._nvml.nvmlDeviceGetTotalEnergyConsumption(one) for one in self._handles) / 1000
        except self._nvml.NVMLError:
            return None

    def sample(self) -> None:
        try:
            used = sum(self._nvml.nvmlDeviceGetMemoryInfo(one).used for one in self._handles)
            shares = [self._nvml.nvmlDeviceGetUtilizationRates(one).gpu / 100 for one in self._handles]
        except self._nvml.NVMLError:
            return
        self._memory = max(self._memory, used / 2**20)
        self._shares.append(sum(shares) / len(shares))

    def close(self, usage: Usage) -> None:
        if self._handles:
            usage.gpu_memory_mib = round(self._memory, 1)
            usage.gpu_utilisation = round(sum(self._shares) / len(self._shares), 3) if self._shares else None
            spent = self._spent()
            if self._joules is not None and spent is not None:
                usage.energy_joules = round((usage.energy_joules or 0.0) + spent - self._joules, 1)
        self._nvml.nvmlShutdown()
