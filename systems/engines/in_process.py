"""Whether vLLM's batches are computed in this process: where there is no GPU and the processors are few.

Left to itself, vLLM starts a process that schedules and another that computes. On two cores they keep each other from
working: a batch takes half as long again, and starting three times as long. In one process the order of work is also
the same every time, as vLLM's documentation has it of reproducibility. Users, whose requests are to be sent on time
while a batch is computed, are simulated on an engine that has its own processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

MULTIPROCESSING = "VLLM_ENABLE_V1_MULTIPROCESSING"
"""vLLM's setting: ``0`` or ``1``. What the environment says of it stands."""
FEW = 2
"""Logical processors. Of more, vLLM binds its threads to the best ones, and nobody has measured it here."""


def wanted() -> bool:
    """Whether an engine on the CPU is to be part of this process."""
    return os.environ.get(MULTIPROCESSING, str(int(len(os.sched_getaffinity(0)) > FEW))) == "0"


@contextmanager
def in_process() -> Iterator[None]:
    """An engine that is started inside is part of this process."""
    import torch

    said, threads = os.environ.get(MULTIPROCESSING), torch.set_num_threads
    os.environ[MULTIPROCESSING] = "0"
    try:
        yield
    finally:
        torch.set_num_threads = threads  # which vLLM replaces, for its own process as it thinks
        if said is None:
            del os.environ[MULTIPROCESSING]
