"""Python's garbage collection kept short while users wait."""

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
