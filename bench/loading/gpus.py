"""NVIDIA's GPUs that this run may use: their memory and whose it is, how busy they were, their energy."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SLURM = ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS")
"""Numbers of the node's GPUs that a job was given, for one whose CUDA_VISIBLE_DEVICES somebody took away."""


def allowed(environment: Mapping[str, str], identities: Sequence[str]) -> list[int]:
    """Places, among the GPUs that NVML shows, of those that CUDA shows this process.

    ``CUDA_VISIBLE_DEVICES`` as the CUDA Programming Guide has it: numbers or beginnings of ``identities`` (UUIDs), up
    to the first that is neither; numbers count as NVML does, which is CUDA's order where the GPUs are alike or
    ``CUDA_DEVICE_ORDER=PCI_BUS_ID``. Without it Slurm's list, unless the job is fenced in: then NVML shows its GPUs
    alone, under new numbers. Slices of a GPU (MIG) are none of these, so nothing is told of them.
    """
    given = environment.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        given = next((environment[name] for name in SLURM if environment.get(name)), None)
        if given is None or any(_place(word, identities) is None for word in given.split(",")):
            return list(range(len(identities)))
    found: list[int] = []
    for word in given.split(","):
        place = _place(word, identities)
        if place is None:
            break
        found.append(place)
    return list(dict.fromkeys(found))


def _place(word: str, identities: Sequence[str]) -> int | None:
    word = word.strip()
    if word.isdecimal():
        return int(word) if int(word) < len(identities) else None
    return next((place for place, identity in enumerate(identities) if word and identity.startswith(word)), None)


class Gpus:
    """What was seen of them from the moment it is made. ``nvml``: the module ``pynvml``, started."""

    def __init__(self, nvml: Any, environment: Mapping[str, str] = os.environ) -> None:
        self._nvml = nvml
        every = [nvml.nvmlDeviceGetHandleByIndex(at) for at in range(nvml.nvmlDeviceGetCount())]
        self._handles = [every[at] for at in allowed(environment, [nvml.nvmlDeviceGetUUID(one) for one in every])]
        self._busy: list[float] = []
        self._begun = self._spent()
        self.memory_mib: float | None = None
        """Highest use by anybody, over all of them; ``None`` without one."""
        self.process_memory_mib: dict[str, float] = {}
        """Highest use by this run's processes; a process that the driver knows by another number (in a container with
        numbers of its own) is not here."""

    @classmethod
    @contextlib.contextmanager
    def open(cls) -> Iterator[Gpus | None]:
        """``None`` where pynvml is not installed, or finds no driver that it knows."""
        try:
            import pynvml

            pynvml.nvmlInit()
            found = cls(pynvml)
        except Exception:  # noqa: BLE001 - whatever it is, there is nothing to tell
            yield None
            return
        try:
            yield found
        finally:
            pynvml.nvmlShutdown()

    def sample(self, processes: Mapping[int, str]) -> None:
        """Look once. ``processes``: names of this run's own, by number."""
        nvml = self._nvml
        try:
            used = sum(nvml.nvmlDeviceGetMemoryInfo(one).used for one in self._handles) / 2**20
            busy = [nvml.nvmlDeviceGetUtilizationRates(one).gpu / 100 for one in self._handles]
            running = [own for one in self._handles for own in nvml.nvmlDeviceGetComputeRunningProcesses(one)]
        except nvml.NVMLError:
            return
        if not busy:
            return
        self.memory_mib = max(used, self.memory_mib or 0.0)
        self._busy.append(sum(busy) / len(busy))
        own: dict[str, float] = {}
        for process in running:
            if process.pid in processes and process.usedGpuMemory is not None:
                name = processes[process.pid]
                own[name] = own.get(name, 0.0) + process.usedGpuMemory / 2**20
        for name, value in own.items():
            self.process_memory_mib[name] = max(value, self.process_memory_mib.get(name, 0.0))

    @property
    def utilisation(self) -> float | None:
        """Mean share of the time in which a kernel ran, over all of them and all looks."""
        return sum(self._busy) / len(self._busy) if self._busy else None

    @property
    def joules(self) -> float | None:
        """Energy of all of them since the beginning, whoever used them; ``None`` where they do not tell."""
        now = self._spent()
        return None if now is None or self._begun is None else now - self._begun

    def _spent(self) -> float | None:
        try:
            spent = [self._nvml.nvmlDeviceGetTotalEnergyConsumption(one) / 1000 for one in self._handles]
        except self._nvml.NVMLError:
            return None
        return sum(spent) if spent else None
