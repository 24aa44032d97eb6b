"""What the machine did, by process; GPUs on a stand-in for NVML, since few machines have one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.loading.gpus import Gpus, allowed
from bench.loading.machine import SAMPLE_SECONDS, watched

UUIDS = ("GPU-aa11", "GPU-bb22", "GPU-bb33")


@pytest.mark.parametrize(
    ("environment", "places"),
    [
        ({}, [0, 1, 2]),
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, [2, 0]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bb3, 0"}, [2, 0]),
        ({"CUDA_VISIBLE_DEVICES": "1,1"}, [1]),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,2"}, [1]),  # what comes after a number that is none is not shown
        ({"CUDA_VISIBLE_DEVICES": "1,7,2"}, [1]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "MIG-aa11"}, []),
        ({"SLURM_JOB_GPUS": "1,2"}, [1, 2]),
        ({"SLURM_STEP_GPUS": "2", "SLURM_JOB_GPUS": "1,2"}, [2]),
        ({"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_GPUS": "2"}, [0]),
        ({"SLURM_JOB_GPUS": "4,5,6"}, [0, 1, 2]),  # fenced in: these three are the job's, under new numbers
    ],
)
def test_only_the_gpus_that_a_process_may_use_count(environment: dict[str, str], places: list[int]) -> None:
    assert allowed(environment, UUIDS) == places


class Nvml:
    """Two GPUs: on the first somebody else works, on the second this run's engine and another process of others."""

    NVMLError = OSError

    def __init__(self) -> None:
        self.looks = 0

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, at: int) -> int:
        return at

    def nvmlDeviceGetUUID(self, at: int) -> str:
        return UUIDS[at]

    def nvmlDeviceGetMemoryInfo(self, at: int) -> Any:
        self.looks += 1
        return SimpleNamespace(used=(9000, 3000 if self.looks == 1 else 2500)[at] * 2**20)

    def nvmlDeviceGetUtilizationRates(self, at: int) -> Any:
        return SimpleNamespace(gpu=(100, 20 if self.looks == 1 else 60)[at])

    def nvmlDeviceGetComputeRunningProcesses(self, at: int) -> list[Any]:
        own, others = (SimpleNamespace(pid=pid, usedGpuMemory=mib * 2**20) for pid, mib in ((7, 1800), (8, 700)))
        return [others] if at == 0 else [own, others, SimpleNamespace(pid=7, usedGpuMemory=None)]

    def nvmlDeviceGetTotalEnergyConsumption(self, at: int) -> int:
        return 1_000_000 * at + 5000 * self.looks


def test_the_account_of_gpus_by_hand() -> None:
    seen = Gpus(Nvml(), {"CUDA_VISIBLE_DEVICES": "1"})
    for _ in range(2):
        seen.sample({7: "engine core", 9: "harness"})
    assert seen.memory_mib == 3000
    assert seen.process_memory_mib == {"engine core": 1800}
    assert seen.utilisation == pytest.approx(0.4)
    assert seen.joules == pytest.approx(10)
    # Both looks at both: everybody's memory, and numbers of processes that are not ours tell nothing of us.
    both = Gpus(Nvml(), {})
    both.sample({1: "harness"})
    assert (both.memory_mib, both.process_memory_mib) == (9000 + 2500, {})


def test_no_gpu_is_no_account() -> None:
    none = Gpus(Nvml(), {"CUDA_VISIBLE_DEVICES": ""})
    none.sample({7: "engine core"})
    assert (none.memory_mib, none.process_memory_mib, none.utilisation, none.joules) == (None, {}, None, None)


WORK = "import time\nwhile time.process_time() < {seconds}: sum(range(1000))\ntime.sleep({after})"


def child_that_works(place: Path, *, after: float, then: str = "") -> list[str]:
    """The command of a module of a name of its own: other children of the tests, as an engine, are watched too."""
    (place / "some_worker.py").write_text(WORK.format(seconds=0.4, after=after) + then)
    return [sys.executable, "-m", "some_worker"]


def test_processes_that_ended_meanwhile_are_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that works and is gone before the end counts to when it was last seen."""
    monkeypatch.setattr("bench.loading.machine.LOOK_SECONDS", 0.1)
    with watched() as usage:
        subprocess.run(child_that_works(tmp_path, after=8 * SAMPLE_SECONDS), cwd=tmp_path, check=True)
    assert usage.cpu_seconds["some_worker"] == pytest.approx(0.4, abs=0.2)
    assert usage.peak_memory_mib["some_worker"] > 1
    assert {"harness", "some_worker"} <= set(usage.cpu_seconds) == set(usage.to_json()["cpu_seconds"])


def test_a_process_counts_from_when_the_watch_began_and_by_its_module(tmp_path: Path) -> None:
    child = subprocess.Popen(
        child_that_works(tmp_path, after=0, then="\nprint(flush=True)\ninput()"),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.readline()
    with watched() as usage:
        pass
    child.communicate(b"\n")
    assert usage.cpu_seconds["some_worker"] < 0.1
    assert usage.peak_memory_mib["some_worker"] > 1
