"""How many processors vLLM computes on where there is no GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

RESERVED = "VLLM_CPU_NUM_OF_RESERVED_CPU"
FEW = 2
"""Logical processors. Of more, the one that vLLM keeps free is a smaller part, and nobody has measured it here."""


def reserved() -> str | None:
    """How many cores a batch leaves free: as the environment says, or none of few; ``None``: vLLM's own default."""
    return os.environ.get(RESERVED) or ("0" if len(os.sched_getaffinity(0)) <= FEW else None)


@contextmanager
def all_of_few() -> Iterator[None]:
    """An engine that is started inside computes on both cores where there are two, unless somebody has said otherwise.

    vLLM keeps one free for its scheduler, and while a batch is computed nobody misses it: the scheduler, which waits
    for the batch, gives way. Users, whose requests are to be sent on time, are simulated on an engine that is started
    outside.
    """
    wanted = reserved()
    if RESERVED in os.environ or wanted is None:
        yield
        return
    os.environ[RESERVED] = wanted
    try:
        yield
    finally:
        del os.environ[RESERVED]
