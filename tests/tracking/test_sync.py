"""``bench sync`` and the saved pages: what is sent, once, in bounded time, and in which shape."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bench.tracking.wandb import WandbTracker
from bench.workspace import Workspace
from systems.base import Failure
from tests.calling import Outcome, call
from tests.reporting.example_run import SYSTEMS
from tests.tracking.runs import identity
from tests.tracking.server import Server


def test_what_was_offline_is_sent_once_with_its_lineage(
    run: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    WandbTracker(mode="offline").publish(run)
    assert server.received == []
    done = call("sync", str(run.path.parent), "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["runs"] == [
        {"run": str(run.path), "sent": ["build", *SYSTEMS], "unchanged": False, "incomplete": False}
    ]
    assert list(run.path.glob("wandb/offline-run-*")) == []  # nothing is left that could be sent twice
    names = {key: one["collection"] for key, one in server.artifacts.items()}
    used = {name: [names[key] for key in server.runs[identity(name)].used] for name in ("build", *SYSTEMS)}
    assert used == {
        "build": ["data-9d0e"],
        "prompt": ["data-9d0e"],
        "rag": ["data-9d0e", "index-b194"],
        "finetuned": ["data-9d0e", "adapter-f2ca"],
        "hybrid": ["data-9d0e", "index-b194", "adapter-f2ca"],
    }
    makers = {one["collection"]: one.get("runName") for one in server.artifacts.values()}
    assert makers["index-b194"] == makers["adapter-f2ca"] == identity("build")
    assert makers[f"{identity('rag')}-results"] == identity("rag")
    summary = json.loads(run.summary.read_text())["systems"]["rag"]["measures"]["accuracy"]
    sent = server.runs[identity("rag")].summary
    assert [sent[f"accuracy{end}"] for end in ("", "/low", "/high", "/n")] == pytest.approx(
        [summary[end] for end in ("estimate", "low", "high", "n")]
    )
    count = len(server.received)
    assert json.loads(call("sync", str(run.path), "--json").out)["runs"][0]["unchanged"]
    assert len(server.received) == count
    # Without its marker it is asked for again, and W&B holds every point, table and picture already.
    (run.path / "wandb" / "sent.json").unlink()
    history = server.runs[identity("rag")].history
    assert call("sync", str(run.path)).code == 0
    assert server.runs[identity("rag")].history == history
    assert len(server.artifacts) == len(names)


def test_a_silent_server_ends_it_in_one_line(run: Workspace, server: Server) -> None:
    server.silent.set()
    config = run.read_manifest()["config"]
    run.update_manifest(config={**config, "tracker": {**config["tracker"], "init_timeout_seconds": 20}})
    started = time.monotonic()
    done = call("sync", str(run.path), "tracker.init_timeout_seconds=2")
    assert time.monotonic() - started < 20
    line = done.one_line(1)
    assert line.startswith(f"bench sync: {run.path}: build, {', '.join(SYSTEMS)} not sent to {server.url}: build: ")
    limited = call("sync", str(run.path), "limit=3").one_line(1)
    assert limited.endswith("not done within 3 s")


def test_one_run_that_is_not_sent_does_not_keep_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").touch()
        (tmp_path / name / "samples.jsonl").touch()

    def sending(failing: str) -> Outcome:
        def one(directory: Path, overrides: object, seconds: float) -> dict[str, object]:
            if directory.name in failing:
                raise Failure(f"{directory.name}: refused")
            return {"run": directory.name, "sent": ["rag"], "unchanged": False, "incomplete": False}

        monkeypatch.setattr("bench.sync.sync", one)
        return call("sync", str(tmp_path))

    middle = sending("b")
    assert middle.code == 1
    assert [line.rpartition("/")[2] for line in middle.err.splitlines()] == [
        "a: sent rag",
        "c: sent rag",
        "bench sync: b: refused",
    ]
    assert sending("abc").one_line(1) == "bench sync: a: refused; 2 more were not tried"


@pytest.mark.parametrize("refused", ["/files", "/artifact"])
def test_what_a_server_refuses_is_not_sent(short: Workspace, server: Server, refused: str) -> None:
    server.refused = refused  # W&B's client itself ends such a run without an error
    config = short.read_manifest()["config"]
    short.update_manifest(config={**config, "tracker": {**config["tracker"], "init_timeout_seconds": 5}})
    words = f"bench sync: {short.path}: prompt not sent to {server.url}: prompt: "
    assert call("sync", str(short.path)).one_line(1).startswith(words)
    server.refused = ""
    done = call("sync", str(short.path), "--json")
    assert json.loads(done.out)["runs"][0]["sent"] == ["prompt"]
    assert "samples" in server.runs[identity("prompt")].history[-1]
    artifacts = server.artifacts.values()
    assert {one["digest"] for one in artifacts} == {one["digest"] for one in artifacts if one["state"] == "COMMITTED"}
    assert json.loads(call("sync", str(short.path), "--json").out)["runs"][0]["unchanged"]


def test_a_guest_that_crashes_is_told_of_with_the_command_that_sends(
    short: Workspace,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "wandb.py").write_text("import os\nos.write(2, b'no memory left\\n')\nos._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    why = "its process ended by exit code 3: no memory left"
    WandbTracker(mode="online").publish(short)
    assert capsys.readouterr().err == (
        f"W&B: prompt not sent: {why}; prompt not written: {why}; send with: bench sync {short.path}\n"
    )
    line = call("sync", str(short.path)).one_line(1)
    assert line == f"bench sync: {short.path}: prompt not sent to {server.url}: {why}"
    monkeypatch.delenv("PYTHONPATH")
    done = call("sync", str(short.path))
    assert (done.code, done.err) == (0, f"{short.path}: sent prompt\n")
    assert call("sync", str(short.path)).err == f"{short.path}: unchanged\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give the directories of runs or sweeps"),
        (["nowhere"], "nowhere: neither a run directory nor one that holds runs"),
        (["nowhere", "limit=soon"], "limit: must be a number of seconds"),
        (["nowhere", "--force"], "--force: no such flag here"),
    ],
)
def test_mistakes_are_named(arguments: list[str], words: str) -> None:
    assert words in call("sync", *arguments).one_line(2)


def test_a_run_that_nobody_tracks_says_how_it_could_be_sent(short: Workspace) -> None:
    config = short.read_manifest()["config"]
    short.update_manifest(config={**config, "tracker": {"_target_": "bench.tracking.none.NoTracker"}})
    assert "add tracker=wandb to send it" in call("sync", str(short.path)).one_line(2)


def test_the_comparison_view_is_saved(server: Server) -> None:
    done = call("wandb", "workspace", "project=trials", "columns=tuning.rank,seed")
    assert done.code == 0, done.err
    assert done.out.startswith(f"{server.url}/team/trials?nw=")
    [view] = server.views.values()
    assert (view["entityName"], view["projectName"], view["type"]) == ("team", "trials", "project-view")
    section = json.loads(view["spec"])["section"]
    panels = {
        one["name"]: [(panel["viewType"], panel["config"]) for panel in one["panels"]]
        for one in section["panelBankConfig"]["sections"]
    }
    kind, accuracy = panels["Measures"][0]
    assert (kind, accuracy["metrics"]) == ("Bar Chart", ["accuracy/low", "accuracy", "accuracy/high"])
    assert accuracy["groupBy"] == "system.value"
    kind, scatter = panels["Trade-offs"][0]
    assert kind == "Scatter Plot"
    assert [scatter[f"{axis}Axis"] for axis in "xyz"] == [
        "summary:latency_e2e_p50",
        "summary:accuracy",
        "summary:cost_per_call",
    ]
    kind, sweep = panels["Sweep"][0]
    assert kind == "Parallel Coordinates Plot"
    assert [column["accessor"] for column in sweep["columns"]][:2] == ["config:tuning/rank.value", "config:seed.value"]
    assert panels["Samples"][0][0] == "Weave"
    again = call("wandb", "workspace", "project=trials", "columns=split")
    assert again.out == done.out
    [view] = server.views.values()
    assert '"config:split.value"' in view["spec"]
    other = call("wandb", "workspace", "project=others")
    assert "/team/others?nw=" in other.out
    assert len(server.views) == 2
    [runs] = section["runSets"]
    assert "system" in json.dumps(runs["grouping"])
    assert "build" in json.dumps(runs["filters"])


def test_a_report_shows_the_systems_of_one_run(run: Workspace, server: Server) -> None:
    WandbTracker(mode="online", samples="none").publish(run)
    done = call("wandb", "report", str(run.path))
    assert done.code == 0, done.err
    assert done.out.startswith(f"{server.url}/team/knowhow/reports/")
    [view] = server.views.values()
    assert (view["projectName"], view["type"]) == ("knowhow", "runs")
    assert view["displayName"] == f"{run.path.name}: systems compared"
    for system in SYSTEMS:
        assert identity(system) in view["spec"]
    assert identity("build") not in view["spec"]
    assert "accuracy/low" in view["spec"]


def test_pages_are_not_saved_where_nobody_answers(server: Server) -> None:
    assert "say bench wandb workspace" in call("wandb", "other").one_line(2)
    assert "tracker=none" not in call("wandb", "workspace", "colour=red").one_line(2)
