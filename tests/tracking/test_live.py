"""W&B live: a run is followed through a real client and a server on this machine, killed, and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.journal import Journal
from bench.observing import Note, tell
from bench.progress import say
from bench.tracking.meter import Meter
from bench.tracking.none import NoTracker
from bench.tracking.points import points_file, read_points
from bench.tracking.wandb import WandbTracker
from bench.workspace import Workspace
from tests.calling import call, environment, small
from tests.tracking.runs import identity
from tests.tracking.server import Server


def tracker(**settings: Any) -> WandbTracker:
    return WandbTracker(mode="online", every_seconds=1, **{"init_timeout_seconds": 20, **settings})


def wait_for(holds: Callable[[], object], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def answers(first: int, last: int, pause: float = 0.1) -> None:
    for done in range(first, last + 1):
        tell(Note(stage="generate", system="rag", done=done, of=40))
        time.sleep(pause)


def test_points_are_there_while_the_run_is_under_way(run: Workspace, server: Server) -> None:
    told = tracker()
    with told.live(run):
        answers(1, 20)
        wait_for(lambda: identity("rag") in server.runs and server.runs[identity("rag")].history)
        assert server.runs[identity("rag")].finished == 0
    told.leave(run)
    wait_for(lambda: server.runs[identity("rag")].finished)
    found = server.runs[identity("rag")]
    assert [point["generate/done"] for point in found.history] == [
        point["generate/done"] for point in read_points(run)["rag"]
    ]
    assert found.history[-1]["generate/done"] == 20
    assert found.history[-1]["generate/planned"] == 40
    assert 5 < found.history[-1]["generate/per_second"] <= 10.5


def test_a_killed_run_goes_on_in_the_same_w_and_b_run(run: Workspace, server: Server) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom bench.workspace import Workspace\n"
        "from tests.tracking.test_live import answers, tracker\n"
        "with tracker().live(Workspace(Path(sys.argv[1]))):\n    answers(1, 4000)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(run.path)], env=environment())
    wait_for(lambda: identity("rag") in server.runs and len(server.runs[identity("rag")].history) >= 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = len(read_points(run)["rag"])
    told = tracker()
    with told.live(run):
        answers(21, 40)
    told.leave(run)
    wait_for(lambda: server.runs[identity("rag")].finished >= 2)
    history = server.runs[identity("rag")].history
    assert [point["_step"] for point in history] == list(range(len(history)))
    assert len(history) == len(read_points(run)["rag"]) > before
    tracker().publish(run)
    history = server.runs[identity("rag")].history
    assert [point["_step"] for point in history] == list(range(len(history)))
    assert [point.get("generate/done") for point in history] == [
        point.get("generate/done") for point in read_points(run)["rag"]
    ]
    assert "samples" in history[-1]


@pytest.mark.parametrize("silent", ["from the start", "in the middle"])
def test_a_server_that_falls_silent_holds_nothing_up(
    short: Workspace, server: Server, capsys: pytest.CaptureFixture[str], silent: str
) -> None:
    if silent == "from the start":
        server.silent.set()
    told = tracker(init_timeout_seconds=2, finish_timeout_seconds=2)
    with told.live(short):
        answers(1, 20)
        if silent == "in the middle":
            wait_for(lambda: identity("rag") in server.runs and server.runs[identity("rag")].history)
            server.silent.set()
        answers(21, 30)
        ended = time.monotonic()
    assert time.monotonic() - ended < 1
    if silent == "from the start":
        wait_for(lambda: told.unreached)
    told.publish(short)
    assert time.monotonic() - ended < 30
    said = capsys.readouterr().err
    words = "W&B: prompt not sent: "
    assert said.count("W&B: no live metrics, the run goes on offline: " if silent == "from the start" else words) == 1
    assert f"1 run offline in {short.path / 'wandb'}; send with: bench sync {short.path}\n" in said
    assert read_points(short)["rag"][-1]["generate/done"] == 30


def test_a_whole_run_is_followed_and_published(
    tiny_model: Path, place: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call("run", *small(tiny_model, "tracker=wandb", "tracker.every_seconds=1", "engine.delay_seconds=0.05"))
    assert done.code == 0, done.err
    assert "W&B: 3 runs sent" in done.err
    by_system = {found.variables["jobType"]: found for found in server.runs.values()}
    assert by_system.keys() == {"build", "prompt", "rag"}
    for system in ("prompt", "rag"):
        points = by_system[system].history
        assert [point["_step"] for point in points] == list(range(len(points)))
        generated = [point for point in points if "generate/done" in point]
        assert (generated[-1]["generate/done"], generated[-1]["generate/planned"]) == (30, 30)
        loaded = [point for point in points if "load/done" in point]
        assert {point["load/mode"] for point in loaded} >= {loaded[0]["load/mode"]}
        assert all(point["load/p50"] >= 0.05 and point["load/in_flight"] >= 0 for point in loaded)
        assert "accuracy" in by_system[system].summary
    assert by_system["build"].history[-1]["index/chunks"] == by_system["build"].history[-1]["index/planned"] > 0
    index = next(key for key, one in server.artifacts.items() if one["artifactTypeName"] == "index")
    assert index in by_system["rag"].used
    assert '"index_key"' in by_system["rag"].variables["config"]
    assert index not in by_system["prompt"].used
    assert call("sync", str(done.path)).code == 0
    assert len(server.received) == (before := len(server.received))
    call("sync", str(done.path))
    assert len(server.received) == before


class Witness(NoTracker):
    """Says what it finds when it is told of a run."""

    def publish(self, workspace: Workspace) -> None:
        say(f"complete: {workspace.complete.exists()}")


def test_a_run_is_complete_before_its_tracker_is_told(tiny_model: Path, place: Path) -> None:
    done = call("run", *small(tiny_model, f"tracker._target_={__name__}.Witness"))
    assert "complete: True" in done.err, done


def notes(*done: int, start: float = 100.0, step: float = 0.5, **more: Any) -> list[Note]:
    return [Note(done=one, of=8, at=start + one * step, **more) for one in done]


@pytest.fixture
def meter(tmp_path: Path) -> Meter:
    journal = Journal(tmp_path / "points.jsonl")
    for step, loss in ((1, 2.0), (2, 1.5)):
        values = {"training/hybrid/step": step, "training/hybrid/loss": loss}
        journal.append({"writer": "build", "values": values})
    journal.close()
    with Journal(tmp_path / "points.jsonl") as journal:
        found = Meter(journal, 60)
        found.close()
    return found


def test_a_rate_is_that_since_the_point_before(meter: Meter) -> None:
    first = dict(meter.points(notes(1, 2, 3, stage="generate", system="rag")))["rag"]
    assert first["generate/per_second"] == 2  # two more answers in a second
    second = dict(meter.points(notes(4, stage="generate", system="rag", failures=1)))["rag"]
    assert (second["generate/per_second"], second["generate/failures"], second["generate/done"]) == (2, 1, 4)


def test_load_has_its_running_median_block_by_block(meter: Meter) -> None:
    def block(*seconds: float) -> list[Note]:
        return [
            Note(stage="load", system="rag", mode="m", done=number, of=3, seconds=one, in_flight=2, at=number)
            for number, one in enumerate(seconds, 1)
        ]

    first = dict(meter.points(block(0.1, 0.5, 0.3)))["rag"]
    assert (first["load/p50"], first["load/per_second"], first["load/in_flight"]) == (0.3, 1, 2)
    assert dict(meter.points(block(0.9)))["rag"]["load/p50"] == 0.9  # another block begins


def test_the_loss_of_every_step_is_kept_once(meter: Meter) -> None:
    seen = [Note(stage="training", system="hybrid", done=step, of=4, loss=3.0 / step) for step in (1, 2, 3, 4)]
    assert [values for _, values in meter.points(seen)] == [
        {"training/hybrid/step": 3, "training/hybrid/loss": 1.0},
        {"training/hybrid/step": 4, "training/hybrid/loss": 0.75},
    ]


def test_nobody_listens_by_default(short: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(Note(stage="generate", done=1, of=1))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with WandbTracker().live(short):
        answers(1, 1)
    assert not points_file(short).exists()
