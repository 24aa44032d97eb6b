"""A run that is killed, at any moment, goes on by the same command: nothing lost, nothing doubled, nothing changed."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.assembly import Assembly
from bench.begin import planned
from bench.build import Built, build_all
from bench.journal import read
from bench.loading.measured import Whole
from bench.records import Key
from bench.reporting.run_files import check_summary
from bench.workspace import Workspace
from systems import lease
from systems.lease import Holder
from tests.calling import begun, call, small, start, until_lines
from tests.forking import Forker

KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def forker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forker]:
    with Forker(tmp_path_factory.mktemp("forker") / "log") as found:
        yield found


class Watched:
    """A run under test; ``check`` after every kill, ``finished`` at the end."""

    def __init__(self, place: Path, model: Path, *further: str) -> None:
        self.workspace = Workspace(place / "run")
        self.builds = place / "builds"
        self.arguments = ["run", *small(model, f"run_dir={place / 'run'}", f"builds_dir={self.builds}", *further)]
        self.journals = dict.fromkeys((self.workspace.predictions, self.workspace.load), b"")

    def check(self) -> None:
        """What was written whole before is still there, byte for byte; files are whole or not there."""
        for path, before in self.journals.items():
            now = path.read_bytes() if path.exists() else b""
            assert now.startswith(before)
            self.journals[path] = now[: now.rfind(b"\n") + 1]
        for path in self.workspace.path.glob("*.json"):
            json.loads(path.read_text())
        for path in self.workspace.path.glob("*.jsonl"):
            if path not in self.journals:
                assert [json.loads(line) for line in path.read_text().split("\n") if line]

    def finished(self) -> None:
        self.check()
        workspace = self.workspace
        found = Counter(Key(r["system"], r["task"], r["sample"], r["repeat"]) for r in read(workspace.predictions))
        assert found == Counter(planned(["prompt", "rag"], workspace.read_samples(), 1))
        assert found.total() == 60
        summary = json.loads(workspace.summary.read_text())
        check_summary(summary)
        assert (summary["planned"], summary["completed"], summary["run"]["engine"]) == (60, 60, "stub")
        assert summary["run"]["finished"]
        assert (workspace.path / "report.html").exists()
        assert workspace.complete.exists()
        whole = Whole(read(workspace.load))  # each cell once, however often it was begun
        assert Counter((cell.system, cell.users) for cell in whole.cells()) == Counter(
            {(system, users): 1 for system in ("prompt", "rag") for users in (None, 4)}
        )
        assert {len(whole.requests(cell)) for cell in whole.cells()} == {8}
        assert len(list(self.builds.glob("index/*/artifact.json"))) == 1


MOMENTS: list[tuple[str, int]] = [
    *[("predictions.jsonl", lines) for lines in (1, 9, 20, 30, 31, 44, 59, 60)],
    *[("load.jsonl", lines) for lines in (1, 5, 8, 10, 14)],
]


def test_killed_from_outside_at_many_moments(forker: Forker, tiny_model: Path, tmp_path: Path) -> None:
    rng = random.Random(12)
    watched = Watched(tmp_path, tiny_model, "engine.delay_seconds=0.02", "engine.max_num_seqs=2")
    kills = 0
    for seconds in (0.02, 0.1, 0.2, 0.4):  # mostly before the first answer: reading, building, prompting
        kills += forker.run(watched.arguments, seconds=seconds) == KILLED
        watched.check()
    for name, lines in MOMENTS:
        file = watched.workspace.path / name
        already = len(watched.journals[file].splitlines()) if name == "load.jsonl" else 0
        code = forker.run(watched.arguments, file=file, lines=lines + already, pause=rng.uniform(0, 0.02))
        kills += code == KILLED
        assert code in (KILLED, 0), forker.log.read_text()
        watched.check()
    assert kills >= 12, forker.log.read_text()
    assert forker.run(watched.arguments) == 0, forker.log.read_text()
    watched.finished()


def stage(workspace: Workspace) -> str:
    """What a killed run was at, by the files it left."""
    if not workspace.manifest.exists():
        return "beginning"
    if not workspace.predictions.exists():
        return "building"
    if workspace.predictions.read_bytes().count(b"\n") < 60:
        return "generating"
    return "scoring and reporting" if workspace.verdicts.exists() else "loading and judging"


def test_killed_at_random_moments(forker: Forker, tiny_model: Path, tmp_path: Path) -> None:
    """As many runs as it takes to be killed 24 times; a run is left alone after its twelfth."""
    rng = random.Random(24)
    hit: Counter[str] = Counter()
    while hit.total() < 24:
        place = tmp_path / str(hit.total())
        watched = Watched(place, tiny_model, "engine.delay_seconds=0.02", "engine.max_num_seqs=2")
        for _ in range(12):
            if forker.run(watched.arguments, seconds=rng.uniform(0, 2)) != KILLED:
                break
            hit[stage(watched.workspace)] += 1
            watched.check()
        assert forker.run(watched.arguments) == 0, forker.log.read_text()
        watched.finished()
    print("killed while", dict(hit))
    assert len(hit) >= 3, hit


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_at_every_rename(side: str, forker: Forker, tiny_model: Path, tmp_path: Path) -> None:
    """Builds, samples, manifest, verdicts, scores, summary, report: each appears whole, so each moment is safe."""
    watched = Watched(tmp_path, tiny_model)
    number = 1
    while (code := forker.run(watched.arguments, rename=number, side=side)) == KILLED:
        watched.check()
        number += 1
        assert number < 40
    assert code == 0, forker.log.read_text()
    watched.finished()
    assert number > 5  # later starts have fewer files left to write


def test_a_whole_process_group_killed_and_started_again(tiny_model: Path, tmp_path: Path) -> None:
    watched = Watched(tmp_path, tiny_model, "engine.delay_seconds=0.05", "engine.max_num_seqs=2")
    process = begun(*watched.arguments)
    path = watched.workspace.predictions
    until_lines(path, 10, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == KILLED
    watched.check()
    assert 10 <= len(watched.journals[path].splitlines()) < 60
    done = start(*watched.arguments)
    assert done.code == 0, done.err
    watched.finished()
    assert start(*watched.arguments).out == done.out


def test_two_processes_do_not_write_one_run(forker: Forker, tiny_model: Path, tmp_path: Path) -> None:
    watched = Watched(tmp_path, tiny_model)
    with watched.workspace.alone():
        for further in ([], ["--fresh"]):
            assert forker.run([*watched.arguments, *further]) == 1
    said = f"{watched.workspace.path}: {Holder.here()} is writing this run; wait for it or stop it\n"
    assert forker.log.read_text().count(said) == 2
    assert forker.run(watched.arguments) == 0
    watched.finished()


def test_killed_on_another_machine_a_run_goes_on_once_it_is_known_to_be_dead(
    forker: Forker, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, tiny_model, "engine.delay_seconds=0.02", "engine.max_num_seqs=2")
    assert forker.run(watched.arguments, file=watched.workspace.predictions, lines=9) == KILLED
    watched.check()
    (file,) = watched.workspace.path.glob(".lease.*")
    there = {**json.loads(file.read_text()), "host": "node7", "machine": "another"}
    file.write_text(json.dumps(there))
    monkeypatch.setattr(lease, "STALE_SECONDS", 1.0)
    before = time.monotonic()
    done = call(*watched.arguments)
    assert done.code == 0, done.err
    assert time.monotonic() - before > 1
    watched.finished()


def test_a_run_that_stood_still_harms_none_that_took_it_over(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, tiny_model, "engine.delay_seconds=0.05", "engine.max_num_seqs=2")
    workspace = watched.workspace
    late = begun(*watched.arguments)
    until_lines(workspace.predictions, 10, late)
    os.killpg(late.pid, signal.SIGSTOP)
    watched.check()
    monkeypatch.setattr(lease, "STALE_SECONDS", 0.5)
    # As another machine sees it; on its own a process that stands still is known to live.
    monkeypatch.setattr(lease, "_machine", lambda: "another")
    done = call(*watched.arguments)
    assert done.code == 0, done.err
    files = {file: file.read_bytes() for file in workspace.path.iterdir() if file.is_file()}
    os.killpg(late.pid, signal.SIGCONT)
    _, said = late.communicate(timeout=120)
    assert late.returncode == 1
    last = f"{workspace.path / '.lease'}: was taken over while this process stood still; let the other end, run again"
    assert said.splitlines()[-1] == f"bench run: {last}"
    assert {file: file.read_bytes() for file in workspace.path.iterdir() if file.is_file()} == files
    watched.finished()


@pytest.mark.parametrize("moment", ["predictions.jsonl", "load.jsonl"])
def test_interrupted_a_run_leaves_a_partial_report_and_goes_on(moment: str, tiny_model: Path, tmp_path: Path) -> None:
    slowly = ("engine.delay_seconds=0.05", "engine.max_num_seqs=2", "load.rates=[4]")
    watched = Watched(tmp_path, tiny_model, *slowly)
    process = begun(*watched.arguments)
    until_lines(watched.workspace.path / moment, 5, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "partial result: " in told
    assert told.splitlines()[-1] == "bench run: interrupted; the same command goes on from here"
    summary = json.loads(watched.workspace.summary.read_text())
    if moment == "predictions.jsonl":
        assert 5 <= summary["completed"] < summary["planned"] == 60
        assert "The run is not complete" in (watched.workspace.path / "report.html").read_text()
    else:
        assert summary["completed"] == 60
        assert any("partial result: the load was stopped in" in one["text"] for one in summary["run"]["findings"])
    watched.check()
    done = start(*watched.arguments)
    assert done.code == 0, done.err
    watched.finished()
    findings = json.loads(watched.workspace.summary.read_text())["run"]["findings"]
    assert not any("partial result" in one["text"] for one in findings)


def test_interrupted_in_its_first_block_a_load_leaves_a_report_that_says_so(tiny_model: Path, tmp_path: Path) -> None:
    watched = Watched(tmp_path, tiny_model, "load.rates=[4]")
    process = begun("load", *watched.arguments[1:])
    until_lines(watched.workspace.load, 3, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "bench load: interrupted; the same command goes on from here"
    assert "partial result: the load was stopped in" in (watched.workspace.path / "report.html").read_text()
    assert len(list(read(watched.workspace.load))) >= 3


@pytest.mark.parametrize("stage", ["generate", "load", "counterfactuals"])
def test_a_stage_that_stood_still_while_it_built_opens_no_journal(
    stage: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(tmp_path, tiny_model)

    def slowly(assembly: Assembly) -> Built:
        made = build_all(assembly)
        (file,) = watched.workspace.path.glob(".lease.*")
        file.write_text(json.dumps({**json.loads(file.read_text()), "host": "node7", "machine": "another"}))
        return made

    monkeypatch.setattr("bench.build.build_all", slowly)
    done = call(stage, *watched.arguments[1:])
    assert done.last_line(1).endswith("was taken over while this process stood still; let the other end, run again")
    assert not watched.workspace.predictions.exists()
    assert not watched.workspace.load.exists()
