"""An engine in the harness's own process: interrupted, closed, and another after it."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys

import psutil
import pytest

from bench.pocket import WEIGHTS
from systems.base import Message, Request, Sampling
from systems.engines.in_process import MULTIPROCESSING
from systems.engines.vllm import VllmEngine
from systems.model import Model

pytestmark = pytest.mark.engine
ASKED = [
    Request(messages=(Message(role="user", content=f"What is {n} and {n}?"),), sampling=Sampling(max_tokens=24))
    for n in range(60)
]
HELD_MIB = 300
"""What a second engine may leave beyond the first: far less than its cache of 1 GiB."""


def memory() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def tokens(engine: VllmEngine) -> list[tuple[int, ...]]:
    found = dict(engine.generate(ASKED))
    return [found[number].token_ids for number in range(len(ASKED))]


def life() -> None:
    """In a process of its own: what it does to this one is what is looked at."""
    engine = VllmEngine(model=Model(name="pocket", path=str(WEIGHTS), context_tokens=1536), dtype="float32")
    first = tokens(engine)
    assert first == tokens(engine)
    engine.close()
    before = memory()
    second = tokens(engine)
    engine.close()
    assert engine.loads == 2
    assert first == second
    grown = memory() - before
    assert grown < HELD_MIB, f"{grown:.0f} MiB are still held by an engine that was closed"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    for milliseconds in (1, 5, 20, 60, 150):
        engine.start()  # anew: what an interrupt leaves behind is closed, not used
        signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000)
        with pytest.raises(KeyboardInterrupt):
            list(engine.generate(ASKED * 100))
        engine.close()
    assert tokens(engine) == first
    engine.close()
    print("lived")


def test_interrupts_are_told_as_such_and_one_engine_follows_another() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from tests.real.test_in_process import life; life()"],
        env={**os.environ, MULTIPROCESSING: "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["lived"]), done.stderr[-3000:]
