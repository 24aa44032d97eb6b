"""When Python's garbage collection is kept from looking through a large heap again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def set_aside() -> Iterator[None]:
    """Collect nothing of what there is by now.

    To look through the heap of a harness with its libraries takes hundreds of milliseconds, in which no request is sent
    and no answer is read.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing at all: for work that makes many small records and keeps them, as reading a run does.

    The collector would look through them again and again, in vain.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
