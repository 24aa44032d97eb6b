"""How many processors vLLM computes on where there is no GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

RESERVED = "VLLM_CPU_NUM_OF_RESERVED_CPU"
FEW = 4


@contextmanager
def all_of_few() -> Iterator[None]:
    """An engine that is started inside computes on every core, where there are few and nobody has said otherwise.

    vLLM keeps one free for its scheduler. Of two that is half of all, and while a batch is computed nobody misses it:
    the scheduler, which waits for the batch, gives way. Users, whose requests are to be sent on time, are simulated on
    an engine that is started outside.
    """
    if RESERVED in os.environ or len(os.sched_getaffinity(0)) > FEW:
        yield
        return
    os.environ[RESERVED] = "0"
    try:
        yield
    finally:
        del os.environ[RESERVED]
