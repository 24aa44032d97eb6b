"""A sweep on this machine: jobs one after another, failures told apart and run again alone, one table at the end."""

from __future__ import annotations

import csv
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from bench.sweeping.attempts import read_attempts
from bench.sweeping.plan import read_sweep
from tests.calling import begun, call, small, until_lines


@pytest.fixture(scope="module")
def grid(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A sweep of two jobs, the last of which finds no model: its place, and the command."""
    place = tmp_path_factory.mktemp("grid")
    models = f"model.path={tiny_model},{place / 'later'}"
    settings = [one for one in small(tiny_model) if not one.startswith("model.path")]
    return place, ["run", "-m", *settings, models, "seed=0", f"sweep_dir={place}/s", f"builds_dir={place}/builds"]


def jobs(place: Path) -> list[dict[str, Any]]:
    done = call("sweep", "status", f"{place}/s", "--json")
    assert done.code == 0
    found: list[dict[str, Any]] = json.loads(done.out)["jobs"]
    return found


def test_a_sweep_runs_here_and_what_failed_runs_again_alone(grid: tuple[Path, list[str]], tiny_model: Path) -> None:
    place, command = grid
    done = call(*command)
    assert done.code == 1
    assert "2 jobs: 1 done, 1 failed" in done.err
    first, second = jobs(place)
    assert (first["state"], second["state"]) == ("done", "failed")
    assert second["reason"].startswith("bench run: model")
    assert f"{place}/later" in second["reason"]
    first_summary = (place / "s/runs/000/summary.json").read_bytes()

    (place / "later").symlink_to(tiny_model)
    again = call("sweep", "resume", f"{place}/s")
    assert again.code == 0, again.err
    assert [job["state"] for job in jobs(place)] == ["done", "done"]
    sweep = read_sweep(place / "s")
    assert [len(read_attempts(sweep.folder(job))) for job in sweep.jobs] == [1, 2]
    assert (place / "s/runs/000/summary.json").read_bytes() == first_summary
    assert len(list((place / "builds/index").glob("[!.]*/artifact.json"))) == 1, "builds are shared"
    assert call("sweep", "resume", f"{place}/s").out == f"{place}/s: 2 jobs: 2 done\n"
    assert call(*command).code == 0, "the same command shows the finished sweep"


def test_the_table_holds_every_measure_of_every_job(grid: tuple[Path, list[str]]) -> None:
    place, _ = grid
    done = call("sweep", "collect", f"{place}/s", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert told == json.loads((place / "s/table.json").read_text())
    expected = {}
    for number in (0, 1):
        summary = json.loads((place / f"s/runs/{number:03d}/summary.json").read_text())
        assert told["jobs"][number]["systems"] == {name: one["measures"] for name, one in summary["systems"].items()}
        for system, one in summary["systems"].items():
            for measure, found in one["measures"].items():
                for estimate in found if isinstance(found, list) else [found]:
                    numbers = [
                        "" if estimate[key] is None else str(estimate[key]) for key in ("estimate", "low", "high")
                    ]
                    expected[str(number), system, measure, estimate.get("mode") or ""] = numbers
    with (place / "s/table.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = {
        (row["job"], row["system"], row["measure"], row["mode"]): [row["estimate"], row["low"], row["high"]]
        for row in rows
    }
    assert found == expected
    assert {row["seed"] for row in rows} == {"0"}
    assert {row["model.path"] for row in rows if row["job"] == "1"} == {f"{place}/later"}
    text = call("sweep", "collect", f"{place}/s").out.splitlines()
    assert text[0].split()[:4] == ["job", "model.path", "system", "accuracy"]
    assert len(text) == 1 + 2 * 2


def test_jobs_that_are_not_done_stand_in_the_table_without_numbers(place: Path, tiny_model: Path) -> None:
    from bench.sweeping.plan import plan

    plan([*small(tiny_model), "seed=0,1", "sweep_dir=s"]).write()
    assert call("sweep", "status", "s").out.startswith(f"{place}/s: 2 jobs: 2 waiting\n")
    assert [line.split() for line in call("sweep", "collect", "s").out.splitlines()[1:]] == [
        ["0", "0", "waiting"],
        ["1", "1", "waiting"],
    ]


def test_a_killed_watcher_is_followed_by_the_next(tiny_model: Path, tmp_path: Path) -> None:
    """Nothing that was written is lost, and nothing is doubled."""
    settings = [*small(tiny_model, "engine.delay_seconds=0.05", "engine.max_num_seqs=2"), f"sweep_dir={tmp_path}/s"]
    command = ["run", "-m", *settings, f"builds_dir={tmp_path}/builds"]
    process = begun(*command)
    predictions = tmp_path / "s/runs/000/predictions.jsonl"
    until_lines(predictions, 5, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert jobs(tmp_path)[0]["reason"] == "killed: its last attempt came to no end"
    assert call("sweep", "resume", f"{tmp_path}/s").code == 0
    (job,) = jobs(tmp_path)
    assert (job["state"], job["attempts"]) == ("done", 2)
    assert predictions.read_bytes().count(b"\n") == 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a command is missing: say one of submit, status, resume, collect"),
        (["stats"], "stats: say one of submit, status, resume, collect"),
        (["status"], "give the sweep's directory first"),
        (["status", "nowhere"], "nowhere: is no sweep's directory"),
        (["submit", "seed=0,1", "hydra/launcher=local"], "this one runs jobs here, to their end"),
    ],
)
def test_mistakes(arguments: list[str], message: str, place: Path) -> None:
    assert message in call("sweep", *arguments).last_line(2)
