"""Whether vLLM's batches are computed in this process: where there is no GPU and the processors are few.

Left to itself, vLLM starts a process that schedules and another that computes. On two cores they keep each other from
working, and starting takes three times as long (``tests/benchmarks/versus_lm_eval.py`` has both). In one process the
order of work is also the same every time, as vLLM's documentation has it of reproducibility (but for answers that are
held to a schema, whose grammars are compiled beside). The price: an engine that crashes takes the harness with it, and
the same command goes on from the journal. Users, whose requests are to be sent on time while a batch is computed, are
simulated on an engine that has its own processes.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MULTIPROCESSING = "VLLM_ENABLE_V1_MULTIPROCESSING"
"""vLLM's setting: ``0`` or ``1``. What the environment says of it stands."""
THREADS = ("VLLM_CPU_OMP_THREADS_BIND", "VLLM_CPU_NUM_OF_RESERVED_CPU", "OMP_NUM_THREADS")
"""How vLLM is to use the processors, which it heeds, or overrules, in processes of its own alone."""
FEW = 2
"""Logical processors. Of more, vLLM binds its threads to the best ones, and nobody has measured it here."""
NODES = Path("/sys/devices/system/node")


def few_processors() -> bool:
    """Whether they are few, and nobody has said how vLLM is to use them.

    They must have one memory between them: vLLM binds the process that it computes in to one, for good.
    """
    said = any(name in os.environ for name in THREADS)
    return not said and len(os.sched_getaffinity(0)) <= FEW and len(list(NODES.glob("node[0-9]*"))) <= 1


@contextmanager
def in_process() -> Iterator[None]:
    """An engine that is started inside is part of this process."""
    import torch

    said, threads = os.environ.get(MULTIPROCESSING), torch.set_num_threads
    os.environ[MULTIPROCESSING] = "0"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of vLLM's use of torch, which is vLLM's affair
            yield
    finally:
        torch.set_num_threads = threads  # which vLLM replaces, for its own process as it thinks
        if said is None:
            del os.environ[MULTIPROCESSING]
