"""W&B: a finished run is written offline by the real client and read back with its own reader."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.journal import seal
from bench.tracking.flat import flat_config, run_id, without_paths
from bench.tracking.wandb import WandbTracker
from bench.workspace import Workspace
from systems.base import UserError
from tests.reporting.example_run import SYSTEMS, write_example


def plain(row: Any) -> bytes:
    return json.dumps(row).encode() + b"\n"


STARTED = "2026-11-20T09:14:03Z"
"""When the example run began."""
KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, and no W&B settings but a test's own."""
    for name in [name for name in os.environ if name.startswith(("WANDB_", "XDG_"))]:
        monkeypatch.delenv(name)
    found = tmp_path / "home"
    found.mkdir()
    monkeypatch.setenv("HOME", str(found))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    yield found
    assert [path.name for path in found.rglob("*")] == []


@pytest.fixture
def run(tmp_path: Path) -> Workspace:
    """A small complete run whose config holds what must not leave."""
    workspace = Workspace(write_example(tmp_path / "a run"))
    lines = workspace.samples.read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["id"].endswith(("-000", "-001"))]
    workspace.samples.write_text("\n".join(kept) + "\n")
    ids = {(json.loads(line)["task"], json.loads(line)["id"]) for line in kept}
    for path, write in ((workspace.predictions, seal), (workspace.scores, plain)):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_bytes(b"".join(write(row) for row in rows if (row["task"], row["sample"]) in ids))
    manifest = workspace.read_manifest()
    manifest["config"] |= {
        "run_dir": "/home/somebody/runs/a",
        "tuning": {"rank": 16},
        "corpus": "/home/somebody/documents",
        "files": ["/home/somebody/one.pdf", "two.pdf"],
        "engine": {"base_url": "http://somebody:pass-9876@host:8000/v1"},
        "systems": {system: {"top_k": number} for number, system in enumerate(SYSTEMS)},
    }
    workspace.update_manifest(config=manifest["config"])
    return workspace


@pytest.fixture
def short(run: Workspace) -> Workspace:
    """The same run with the first of its systems alone, where more add nothing but time."""
    summary = json.loads(run.summary.read_text())
    summary["systems"] = {"prompt": summary["systems"]["prompt"]}
    run.summary.write_text(json.dumps(summary))
    return run


def records(run: Workspace, system: str) -> list[dict[str, Any]]:
    """What W&B's own reader finds in the one run of a system."""
    [found] = run.path.glob(f"wandb/*run-*-{run_id('demo-3f9a1c', STARTED, system)}")
    words = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(found)]
    text = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def everything(run: Workspace) -> str:
    """All that would be sent: the logs and files of every W&B run, as text."""
    found = [path for path in run.path.glob("wandb/*run-*/**/*") if path.is_file() and "logs" not in path.parts]
    return "\n".join(path.read_bytes().decode(errors="replace") for path in found)


def table(run: Workspace, system: str) -> dict[str, Any]:
    [path] = run.path.glob(f"wandb/*run-*-{run_id('demo-3f9a1c', STARTED, system)}/files/media/table/*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_every_system_becomes_one_run_that_reads_back(run: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    WandbTracker(samples="full").publish(run)
    assert "W&B: 4 runs offline" in capsys.readouterr().err
    summary = json.loads(run.summary.read_text())
    for number, system in enumerate(SYSTEMS):
        found = records(run, system)
        [about] = [record["run"] for record in found if record["type"] == "run"]
        assert about["run_id"] == run_id("demo-3f9a1c", STARTED, system)
        assert about["job_type"] == system
        assert about["run_group"] == "demo"
        assert about["tags"] == [system, "pocket", "practical"]
        config = about["config"]["update"]
        assert (config["system"], config["tuning.rank"], config["commit"]) == (system, 16, "9c1e7b20d4")
        assert config[f"systems.{system}.top_k"] == number
        assert [key for key in config if key.startswith("systems.")] == [f"systems.{system}.top_k"]
        values: dict[str, Any] = {}
        for record in found:
            values |= record.get("summary", {}).get("update", {})
        for scope, measures in (("", summary["systems"][system]["measures"]),
                                ("policy facts/", summary["systems"][system]["tasks"]["policy facts"])):  # fmt: skip
            for end, key in (("estimate", ""), ("low", ".low"), ("high", ".high")):
                assert values[f"{scope}accuracy{key}"] == pytest.approx(measures["accuracy"][end])
        assert found[-1] == {**found[-1], "type": "exit", "exit": {**found[-1]["exit"], "exit_code": 0}}
        rows = table(run, system)
        predictions = [p for p in run.read_predictions() if p.system == system]
        answers = rows["columns"].index("answer")
        assert sorted(row[answers] for row in rows["data"]) == sorted(p.text for p in predictions)
        assert len(rows["data"]) == 10
        scores = {
            (s.task, s.sample): s.value for s in run.read_scores() if (s.system, s.metric) == (system, "accuracy")
        }
        column = rows["columns"].index("accuracy")
        assert {(row[0], row[1]): row[column] for row in rows["data"]} == scores


@pytest.mark.parametrize("samples", ["none", "redacted", "full"])
def test_no_more_of_the_samples_leaves_than_was_said(short: Workspace, samples: str) -> None:
    lines = short.samples.read_text().splitlines()
    for number, line in enumerate(lines):
        sample = json.loads(line)
        sample["reference"] = f"reference-{number}"
        sample["query"]["text"] = f"question-{number}"
        lines[number] = json.dumps(sample)
    short.samples.write_text("\n".join(lines) + "\n")
    (short.path / "report.html").write_text("the report, reference-0")
    WandbTracker(samples=samples).publish(short)
    sent = everything(short) + "\n".join(p.read_text() for p in short.path.glob("wandb/data/**/*") if p.is_file())
    assert ("reference-0" in sent) == (samples == "full")
    assert ("question-0" in sent) == (samples != "none")
    assert ("the report" in sent) == (samples == "full")
    assert "demo-3f9a1c" in sent


def test_nothing_of_this_machine_and_no_secret_leaves(run: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1234")
    WandbTracker(mode="offline", samples="full").publish(run)
    sent = everything(run)
    for word in (KEY, "sk-secret-1234", "/home/somebody", "pass-9876", sys.executable, f'"{socket.gethostname()}"'):
        assert word not in sent, word
    # Only where W&B keeps what is still to be sent, inside the run's own directory.
    staging = str(run.path / "wandb" / "data")
    paths = re.findall(r"/(?:home|root|tmp|work|usr|opt|var)/[\w./ -]+", sent)
    assert [path for path in paths if not path.startswith(staging)] == []
    config = next(record["run"]["config"]["update"] for record in records(run, "rag") if record["type"] == "run")
    assert config["corpus"] == "documents"
    assert config["files"] == ["one.pdf", "two.pdf"]
    assert config["engine.base_url"] == "http://host:8000/v1"


def test_publishing_again_replaces_what_was_written(run: Workspace) -> None:
    def listing() -> tuple[list[str], int]:
        runs = [path.name.split("-", 3)[-1] for path in run.path.glob("wandb/*run-*") if path.is_dir()]
        return sorted(runs), len([path for path in run.path.glob("wandb/data/**/*") if path.is_file()])

    WandbTracker().publish(run)
    once = listing()
    WandbTracker().publish(run)
    assert listing() == once
    assert once[0] == sorted(run_id("demo-3f9a1c", STARTED, system) for system in SYSTEMS)


def test_a_server_that_cannot_be_reached_costs_a_bounded_time(
    run: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    before = dict(os.environ)
    started = time.monotonic()
    WandbTracker(mode="online", init_timeout_seconds=2, finish_timeout_seconds=2).publish(run)
    # 2 s for the first system, none for the others; the rest is four offline runs.
    assert time.monotonic() - started < 40
    said = capsys.readouterr().err
    assert said.count("was not sent") == 1
    assert "W&B: 4 runs offline" in said
    for system in SYSTEMS:
        assert records(run, system)[-1]["type"] == "exit"
    assert KEY not in everything(run)
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "1 run offline"),
        ({"WANDB_MODE": "disabled", "WANDB_API_KEY": KEY}, r"disabled by \$WANDB_MODE"),
        ({"WANDB_MODE": "offline", "WANDB_API_KEY": KEY}, "1 run offline"),
        # A stranger's settings: the run's own go first.
        ({"WANDB_RUN_ID": "x", "WANDB_RESUME": "must", "WANDB_PROJECT": "p", "WANDB_NAME": "n"}, "1 run offline"),
    ],
    ids=["no key", "disabled", "offline", "others"],
)
def test_the_environment_says_where_auto_goes(
    short: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    words: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    WandbTracker(samples="none").publish(short)
    assert re.search(words, capsys.readouterr().err)
    if "disabled" in words:
        assert not (short.path / "wandb").exists()
    else:
        about = next(record["run"] for record in records(short, "prompt") if record["type"] == "run")
        assert (about["run_id"], about["project"]) == (run_id("demo-3f9a1c", STARTED, "prompt"), "knowhow")
        assert about["display_name"] == "demo-3f9a1c prompt"


def test_ids_are_stable_short_and_differ_by_system() -> None:
    assert re.fullmatch("a-run-1-[0-9a-f]{6}-rag", run_id("a run/1", STARTED, "rag"))
    assert run_id("run", STARTED, "rag") == run_id("run", STARTED, "rag")
    ids = {run_id("long" * 60, started, system) for system in SYSTEMS for started in (STARTED, "later")}
    assert len(ids) == 8
    assert all(len(found) <= 128 for found in ids)


def test_paths_and_logins_go_and_everything_else_stays() -> None:
    kept = ["a/b/c", "https://host/v1/x", "12/2026", "org/model", "4 of 5", "and/or", "12 euros"]
    assert without_paths(kept) == kept
    assert without_paths("no such file: /home/me/data/x.pdf") == "no such file: x.pdf"
    assert without_paths({"a": ["~/models/m", "http://me:pw@host/v1"]}) == {"a": ["m", "http://host/v1"]}


def test_config_names_the_build_of_the_system() -> None:
    manifest = {
        "commit": "c",
        "config": {"model": {"name": "m"}},
        "build": {"adapters": {"hybrid": {"weights": "w", "key": "k"}}, "index": {"key": "i"}},
    }
    assert dict(flat_config(manifest, "hybrid"))["adapter"] == "w"
    assert "adapter" not in dict(flat_config(manifest, "rag"))
    assert dict(flat_config(manifest, "rag"))["index_key"] == "i"


@pytest.mark.parametrize(("key", "value"), [("mode", "live"), ("samples", "all")])
def test_an_unknown_setting_is_named(key: str, value: str) -> None:
    with pytest.raises(UserError, match=rf"tracker\.{key}={value}: must be"):
        WandbTracker(**{key: value})
