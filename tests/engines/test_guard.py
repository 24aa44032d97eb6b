"""An engine's processes end with the process that started them, even where that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from systems.engines.guard import Guard, children

STARTER = """
import subprocess, sys, time
from systems.engines.guard import Guard
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
Guard.over([child.pid])
print(child.pid, flush=True)
time.sleep(60)
"""


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{process}/stat") as file:  # nobody may be there to collect what was killed
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_starter_takes_its_processes_along() -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    assert alive(child)
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def test_a_released_guard_harms_nobody() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        guard = Guard.over([child.pid])
        guard.release()
        assert guard.watcher.returncode == 0
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_only_processes_of_the_block_are_collected() -> None:
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    earlier = context.Process(target=time.sleep, args=(30,))
    earlier.start()
    with children() as found:
        later = context.Process(target=time.sleep, args=(30,))
        later.start()
    assert found == [later.pid]
    for process in (earlier, later):
        process.kill()
        process.join()
