"""Leases: one holder at a time, on whatever machine; a dead one keeps nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from systems import lease
from systems.base import Failure
from systems.lease import Holder, held, holder
from tests.crowd import Crowd

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
    crowd = Crowd()

    def take() -> None:
        with held(path):
            crowd.visit(0.02)

    threads = [in_background(take) for _ in range(8)]
    for thread in threads:
        thread.join(60)
    assert (crowd.inside, crowd.most) == (0, 1)
    assert holder(path) is None


def test_the_heart_beats_while_every_thread_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.2)
    path = tmp_path / "lease"
    with held(path):
        file = path.with_name("lease.1")
        before = file.stat().st_mtime
        sum(range(40_000_000))  # one call into C, as of an index that is built: no other thread runs
        assert file.stat().st_mtime > before


def test_one_who_was_overtaken_is_told_and_lets_go_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    with held(path) as mine:
        mine.confirm()
        path.with_name("lease.1").unlink()
        path.with_name("lease.2").write_text(json.dumps(asdict(Holder.here())))
        with pytest.raises(Failure, match="lease: was taken over while this process stood still"):
            mine.confirm()
    assert holder(path) == Holder.here()


def test_another_ones_file_of_the_same_number_is_not_mine(tmp_path: Path) -> None:
    """As after all files were removed by hand."""
    path = tmp_path / "lease"
    with held(path) as mine:
        elsewhere(path)
        assert not mine.mine()
    assert str(holder(path)).endswith("on node7")


def test_looks_that_come_late_prove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the file server stands still, hearts cannot beat: that nobody saw one says nothing of its holder."""
    for name, seconds in (("STALE_SECONDS", 0.4), ("POLL_SECONDS", 0.01), ("PROMPT_SECONDS", 0.15)):
        monkeypatch.setattr(lease, name, seconds)
    path = tmp_path / "lease"
    elsewhere(path)
    look, stands_still = lease._look, threading.Event()
    stands_still.set()

    def slowly(file: Path) -> Any:
        if stands_still.is_set():
            time.sleep(0.2)
        return look(file)

    monkeypatch.setattr(lease, "_look", slowly)
    taken = threading.Event()

    def wait() -> None:
        with held(path):
            taken.set()

    thread = in_background(wait)
    assert not taken.wait(1.2), "three times as long as it takes to be taken for dead"
    stands_still.clear()
    begun = time.monotonic()
    assert taken.wait(30)
    assert time.monotonic() - begun > 0.15, "counted from the first prompt look"
    thread.join(30)


def test_the_heart_outlives_a_file_server_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.2)
    server, mount = tmp_path / "server", tmp_path / "mount"
    server.mkdir()
    mount.symlink_to(server)
    with held(mount / "lease"):
        for broken in (mount, tmp_path / "nowhere"):  # ELOOP, ENOENT
            mount.unlink()
            mount.symlink_to(broken)
            time.sleep(0.7)
            before = (server / "lease.1").stat().st_mtime
            mount.unlink()
            mount.symlink_to(server)
            deadline = time.monotonic() + 30
            while (server / "lease.1").stat().st_mtime == before:
                assert time.monotonic() < deadline, "the heart has stopped"
                time.sleep(0.01)


def test_files_that_are_removed_are_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    process = hold(path)
    with held(path, lambda _: path.with_name("lease.1").unlink()) as mine:
        assert mine.mine()
    process.kill()
    process.wait()


def test_a_directory_that_is_removed_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "place" / "lease"
    path.parent.mkdir()
    process = hold(path)
    with pytest.raises(FileNotFoundError), held(path, lambda _: shutil.rmtree(path.parent)):
        pass
    process.kill()
    process.wait()


def test_who_waits_for_another_machine_is_told_once_its_heart_was_seen_to_beat(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "lease"
    elsewhere(path)

    def refuse(who: str) -> None:
        raise Failure(who)

    def beat() -> None:
        while not caplog.records:
            time.sleep(0.01)
        time.sleep(0.3)
        os.utime(path.with_name("lease.1"))

    thread = in_background(beat)
    begun = time.monotonic()
    with pytest.raises(Failure, match="on node7"), held(path, refuse):
        pass
    assert time.monotonic() - begun > 0.3
    thread.join()
    assert [one.message for one in caplog.records] == [
        f"{path}: held by process {os.getpid()} on node7; watching whether it lives"
    ]


def test_a_process_is_told_from_others_of_its_number_by_a_clock_nobody_sets() -> None:
    here = Holder.here()
    assert here.started is not None
    since_start = time.clock_gettime(time.CLOCK_BOOTTIME) - here.started / os.sysconf("SC_CLK_TCK")
    assert abs(since_start - (time.time() - psutil.Process().create_time())) < 2
    assert not here.ended()
    assert not replace(here, pid=os.getppid(), started=lease._started(os.getppid())).ended()
    assert replace(here, started=here.started - 1).ended(), "an earlier one of this number"
    assert not replace(here, started=here.started - 1, machine="another").ended(), "nobody here can tell"
    child = subprocess.Popen([sys.executable, "-c", ""])
    there = replace(here, pid=child.pid, started=lease._started(child.pid))
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert there.ended(), "not yet waited for"
    child.wait()
    assert there.ended()
