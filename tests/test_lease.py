"""Leases: one holder at a time, on whatever machine; a dead one keeps nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from systems import lease
from systems.lease import Holder, held, holder

HOLD = """
import sys, time
from pathlib import Path
from systems import lease
lease.BEAT_SECONDS = 0.2
with lease.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
COUNT = """
import sys
from pathlib import Path
from systems import lease
lease.POLL_SECONDS = 0.001
path, counter = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(20):
    with lease.held(path):
        counter.write_text(str(int(counter.read_text()) + 1))
"""


def elsewhere(path: Path) -> None:
    """The lease as a process of another machine left it."""
    there = replace(Holder.here(), host="node7", machine="another start of another machine")
    path.with_name(f"{path.name}.1").write_text(json.dumps(asdict(there)))


def hold(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_many_processes_take_turns(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    processes = [
        subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path / "lease"), str(counter)]) for _ in range(4)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0] * 4
    assert counter.read_text() == "80"
    assert [entry.name for entry in tmp_path.glob("lease.*")] == ["lease.80"], "old generations are cleared away"


def test_a_killed_holder_of_this_machine_is_followed_at_once(tmp_path: Path) -> None:
    process = hold(tmp_path / "lease")
    found = holder(tmp_path / "lease")
    assert found is not None
    assert found.pid == process.pid
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert holder(tmp_path / "lease") is None
    started = time.monotonic()
    with held(tmp_path / "lease", lambda who: pytest.fail(f"waited for {who}")):
        assert time.monotonic() - started < 5
        assert str(holder(tmp_path / "lease")) == f"process {os.getpid()} on {Holder.here().host}"
    assert holder(tmp_path / "lease") is None


def test_who_waits_is_told_for_whom_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.01)
    process = hold(tmp_path / "lease")
    told: list[str] = []

    def wait() -> None:
        with held(tmp_path / "lease", told.append):
            told.append("held")

    thread = in_background(wait)
    time.sleep(0.3)
    assert told == [f"process {process.pid} on {Holder.here().host}"]
    process.kill()
    process.wait()
    thread.join(30)
    assert told[1:] == ["held"]


def test_a_heart_that_beats_elsewhere_is_waited_for_and_one_that_stopped_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clocks of machines differ: what counts is whether the file's time changes, not what it says."""
    monkeypatch.setattr(lease, "STALE_SECONDS", 0.5)
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.01)
    path = tmp_path / "lease"
    elsewhere(path)
    taken = threading.Event()

    def wait() -> None:
        with held(path):
            taken.set()

    thread = in_background(wait)
    for beat in range(20):  # two seconds, on a clock that is a day slow
        os.utime(path.with_name("lease.1"), (1, time.time() - 86_400 + beat))
        assert not taken.wait(0.1)
    assert taken.wait(30)
    thread.join(30)


def test_of_many_who_see_a_dead_one_a_single_one_takes_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "STALE_SECONDS", 0.2)
    monkeypatch.setattr(lease, "POLL_SECONDS", 0.001)
    path = tmp_path / "lease"
    elsewhere(path)
    inside, most = 0, 0
    guard = threading.Lock()

    def take() -> None:
        nonlocal inside, most
        with held(path):
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            with guard:
                inside -= 1

    threads = [in_background(take) for _ in range(8)]
    for thread in threads:
        thread.join(60)
    assert (inside, most) == (0, 1)
    assert holder(path) is None


def test_the_heart_beats_while_every_thread_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.2)
    path = tmp_path / "lease"
    with held(path):
        file = path.with_name("lease.1")
        before = file.stat().st_mtime
        sum(range(40_000_000))  # one call into C, as of an index that is built: no other thread runs
        assert file.stat().st_mtime > before


def test_one_who_was_overtaken_lets_go_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    with held(path):
        path.with_name("lease.1").unlink()
        path.with_name("lease.2").write_text(json.dumps(asdict(Holder.here())))
    assert holder(path) == Holder.here()
