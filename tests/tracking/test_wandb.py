"""W&B offline: a finished run is written by the real client and read back with its own reader."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from dataclasses import replace
from typing import Any

import pytest

from bench.journal import Journal
from bench.tracking.flat import flat_config, flat_summary, group, run_id, tags
from bench.tracking.points import points_file
from bench.tracking.wandb import WandbTracker
from bench.workspace import Workspace
from systems.base import UserError
from tests.reporting.example_run import SYSTEMS
from tests.tracking.runs import KEY, STARTED, about, everything, identity, records, table
from tests.tracking.server import Server


def summary_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for record in found:
        values |= record.get("summary", {}).get("update", {})
    return values


def test_every_system_becomes_one_run_that_reads_back(run: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal(points_file(run)) as journal:
        for done in (3, 7, 10):
            journal.append({"writer": "rag", "values": {"generate/done": done, "generate/per_second": done / 2}})
    WandbTracker(samples="full").publish(run)
    assert "W&B: 5 runs offline" in capsys.readouterr().err
    summary = json.loads(run.summary.read_text())
    scores = run.read_scores()
    for number, system in enumerate(SYSTEMS):
        found = records(run, system)
        [named] = [record["run"] for record in found if record["type"] == "run"]
        assert named["run_id"] == identity(system)
        assert (named["job_type"], named["run_group"]) == (system, "demo")
        assert named["tags"] == [system, "pocket", "practical"]
        config = named["config"]["update"]
        assert (config["system"], config["tuning/rank"], config["commit"]) == (system, 16, "9c1e7b20d4")
        assert config[f"systems/{system}/top_k"] == number
        assert [key for key in config if key.startswith("systems/")] == [f"systems/{system}/top_k"]
        # Every number of the summary, with its interval, in every mode.
        values = summary_of(found)
        compared = 0
        scopes = {"": summary["systems"][system]["measures"]} | {
            f"{task}/": measures for task, measures in summary["systems"][system]["tasks"].items()
        }
        for scope, measures in scopes.items():
            for name, found_modes in measures.items():
                modes = found_modes if isinstance(found_modes, list) else [found_modes]
                keys = {f"{scope}{name}": modes[0]}
                keys |= {f"{scope}{name} ({one['mode']})": one for one in modes if len(modes) > 1}
                for key, one in keys.items():
                    for end, part in (("estimate", ""), ("low", "/low"), ("high", "/high"), ("n", "/n")):
                        assert values.get(key + part) == pytest.approx(one[end]), key + part
                        compared += 1
        assert compared > 100
        # Every answer and every score.
        rows = table(run, system)
        mine = {(one.task, one.sample): one for one in run.read_predictions() if one.system == system}
        assert len(rows) == len(mine) == 10
        for row in rows:
            assert row["answer"] == mine[row["task"], row["sample"]].text
            own = {
                one.metric: one.value
                for one in scores
                if (one.system, one.task, one.sample) == (system, row["task"], row["sample"])
            }
            assert {metric: row[metric] for metric in own} == own
        assert found[-1] == {**found[-1], "type": "exit", "exit": {**found[-1]["exit"], "exit_code": 0}}
    history = [json_values(record) for record in records(run, "rag") if record["type"] == "history"]
    assert [row.get("generate/done") for row in history] == [3, 7, 10, None]
    assert [row["_step"] for row in history] == [0, 1, 2, 3]
    assert [row.get("generate/per_second") for row in history] == [1.5, 3.5, 5.0, None]
    shown = {key.partition(".")[0] for key in history[3]}
    assert {"samples", "figures/grid", "figures/pareto", "figures/load"} <= shown
    pictures = [*run.path.glob(f"wandb/*run-*-{identity('rag')}/files/media/images/figures/*.png")]
    assert [path.name.partition("_")[0] for path in sorted(pictures)] == ["grid", "load", "pareto"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


def json_values(record: dict[str, Any]) -> dict[str, Any]:
    """The values of a row of history."""
    return dict(record["history"]["item"])


def test_lineage_is_named_offline(run: Workspace) -> None:
    WandbTracker(samples="none").publish(run)
    configs = {name: summary_config(records(run, name)) for name in ("build", "rag", "hybrid", "prompt")}
    assert configs == {
        "build": ["data-9d0e"],
        "rag": ["data-9d0e", "index-b194"],
        "hybrid": ["data-9d0e", "index-b194", "adapter-f2ca"],
        "prompt": ["data-9d0e"],
    }
    made = [record["artifact"]["name"] for record in records(run, "build") if record["type"] == "artifact"]
    assert made == ["index-b194", "adapter-f2ca"]
    made = [record["artifact"]["name"] for record in records(run, "rag") if record["type"] == "artifact"]
    assert made == [f"{identity('rag')}-results"]


def summary_config(found: list[dict[str, Any]]) -> list[str]:
    for record in found:
        if record["type"] == "config" and "lineage" in record["config"].get("update", {}):
            return list(record["config"]["update"]["lineage"])
    return []


@pytest.mark.parametrize("samples", ["none", "redacted", "full"])
def test_no_more_of_the_samples_leaves_than_was_said(short: Workspace, samples: Any) -> None:
    lines = short.samples.read_text().splitlines()
    for number, line in enumerate(lines):
        sample = json.loads(line)
        sample["reference"] = f"reference-{number}"
        sample["query"]["text"] = f"question-{number}"
        lines[number] = json.dumps(sample)
    short.samples.write_text("\n".join(lines) + "\n")
    summary = json.loads(short.summary.read_text())
    summary["run"]["findings"] = [{"level": "note", "text": "question-1 stands there twice"}]
    short.summary.write_text(json.dumps(summary))
    from bench.journal import read

    answers = list(read(short.predictions))
    short.predictions.unlink()
    with Journal(short.predictions) as journal:  # a right answer is its reference, and an error may quote its question
        for one in answers:
            journal.append({**one, "text": "reference-0", "error": "BadRequest: question-0"})
    (short.path / "report.html").write_text("the report, reference-0")
    WandbTracker(samples=samples).publish(short)
    sent = everything(short)
    for word in ("reference-0", "question-0", "question-1", "the report"):
        assert (word in sent) == (samples == "full"), word
    assert short.path.name in sent
    assert ("BadRequest" in sent) == (samples != "none")
    if samples == "redacted":
        rows = table(short, "prompt")
        assert set(rows[0]) > {"task", "sample", "outcome", "error", "tokens_out", "answer_hash", "accuracy"}
        assert {row["outcome"] for row in rows} <= {"correct", "incorrect", "abstained", "failed"}
        assert len({row["answer_hash"] for row in rows}) == len(rows)  # one text, but to other questions


def test_nothing_of_this_machine_and_no_secret_leaves(short: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1234")
    config = short.read_manifest()["config"]
    engine = {**config["engine"], "api_key": "in-the-config", "headers": "Bearer sk-secret-1234"}
    short.update_manifest(config={**config, "engine": engine})
    summary = json.loads(short.summary.read_text())
    summary["run"]["engine"] = "server at /home/somebody/socket, key sk-secret-1234"
    short.summary.write_text(json.dumps(summary))
    WandbTracker(mode="offline", samples="full").publish(short)
    sent = everything(short)
    words = (KEY, "sk-secret-1234", "in-the-config", "/home/somebody", "pass-9876", sys.executable)
    for word in (*words, f'"{socket.gethostname()}"', os.environ["HOME"]):
        assert word not in sent, word
    # Only where W&B keeps what is still to be sent, inside the run's own directory.
    staging = str(short.path / "wandb" / "data")
    paths = re.findall(r"/(?:home|root|tmp|work|usr|opt|var)/[\w./ -]+", sent)
    assert [path for path in paths if not path.startswith(staging)] == []
    found = about(short, "prompt")["config"]["update"]
    assert found["corpus"] == "documents"
    assert found["files"] == ["one.pdf", "two.pdf"]
    assert found["engine/base_url"] == "http://(hidden)/v1"
    assert found["engine/api_key"] == "(hidden)"


def test_equal_answers_to_a_sample_are_found_by_their_hash(run: Workspace) -> None:
    from bench.tracking.rows import SampleRows

    found = SampleRows.read(run)
    texts = {(one.system, one.task, one.sample): one.text for one in found.predictions}
    first, second = (found.rows(system, texts=False) for system in ("rag", "hybrid"))
    same = [texts["rag", one["task"], one["sample"]] == texts["hybrid", one["task"], one["sample"]] for one in first]
    assert [one["answer_hash"] == two["answer_hash"] for one, two in zip(first, second, strict=True)] == same
    assert {True, False} == set(same)
    other = replace(found, samples={key: replace(one, reference="x") for key, one in found.samples.items()})
    assert other.rows("rag", texts=False)[0]["answer_hash"] != first[0]["answer_hash"]  # who lacks one cannot guess


def test_one_time_bounds_all_that_a_silent_server_holds_up(
    run: Workspace, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.silent.set()
    tracker = WandbTracker(mode="online", init_timeout_seconds=60, finish_timeout_seconds=4)
    names = ["build", *SYSTEMS]
    started = time.monotonic()
    came = tracker.write(run, names, "online", 4)
    assert 4 <= time.monotonic() - started < 8
    assert (came.done, list(came.left), came.wrong) == ((), names, "not done within 4 s")


def test_publishing_again_replaces_what_was_written(short: Workspace) -> None:
    def listing() -> list[str]:
        return sorted(path.name.split("-", 3)[-1] for path in short.path.glob("wandb/*run-*") if path.is_dir())

    WandbTracker().publish(short)
    once, history = listing(), [r for r in records(short, "prompt") if r["type"] == "history"]
    WandbTracker().publish(short)
    assert listing() == once == [identity("prompt")]
    assert len([r for r in records(short, "prompt") if r["type"] == "history"]) == len(history) == 1


def test_a_server_that_cannot_be_reached_costs_a_bounded_time(
    run: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    before = dict(os.environ)
    started = time.monotonic()
    WandbTracker(mode="online", init_timeout_seconds=2, finish_timeout_seconds=20).publish(run)
    # Refused at once, and not tried again for the others; the rest is five offline runs.
    assert time.monotonic() - started < 40
    [said] = capsys.readouterr().err.splitlines()
    assert said.startswith(f"W&B: build, {', '.join(SYSTEMS)} not sent: build: ")
    assert said.endswith(f"; 5 runs offline in {run.path / 'wandb'}; send with: bench sync {run.path}")
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
        found = about(short, "prompt")
        assert (found["run_id"], found["project"]) == (identity("prompt"), "knowhow")
        assert found["display_name"] == "a run prompt"


def test_ids_are_stable_short_and_differ_by_system() -> None:
    assert re.fullmatch("a-run-1-[0-9a-f]{6}-rag", run_id("a run/1", STARTED, "rag"))
    assert run_id("run", STARTED, "rag") == run_id("run", STARTED, "rag")
    ids = {run_id("long" * 60, started, system) for system in SYSTEMS for started in (STARTED, "later")}
    assert len(ids) == 8
    assert all(len(found) <= 128 for found in ids)


def test_config_names_the_build_of_the_system() -> None:
    manifest = {
        "commit": "c",
        "config": {"model": {"name": "m"}},
        "build": {"adapters": {"hybrid": {"weights": "w", "key": "k"}}, "index": {"key": "i"}},
    }
    assert flat_config(manifest, "hybrid")["adapter"] == "w"
    assert "adapter" not in flat_config(manifest, "rag")
    assert flat_config(manifest, "rag")["index_key"] == "i"


def test_a_job_of_a_sweep_is_listed_with_the_sweep() -> None:
    manifest = {"commit": "c", "config": {}, "experiment": "demo", "grid": "practical"}
    swept = {**manifest, "sweep": {"name": "ranks", "job": 3}}
    assert (group(manifest), group(swept)) == ("demo", "ranks")
    assert (tags(manifest, "rag"), tags(swept, "rag")) == (["rag", "practical"], ["rag", "practical", "sweep"])
    assert flat_config(swept, "rag")["sweep/job"] == 3


def test_a_measure_that_could_not_be_taken_says_why() -> None:
    missing = {"estimate": None, "low": None, "high": None, "n": 8, "unit": "s", "reason": "too few"}
    summary = {"systems": {"rag": {"measures": {"p99": missing}, "tasks": {}}}}
    assert flat_summary(summary, "rag") == {"p99/n": 8, "p99/reason": "too few"}


@pytest.mark.parametrize(
    ("key", "value"), [("mode", "live"), ("samples", "all"), ("every_seconds", 0.5), ("init_timeout_seconds", 0)]
)
def test_an_unknown_setting_is_named(key: str, value: Any) -> None:
    with pytest.raises(UserError, match=rf"tracker\.{key}={value}: must be"):
        WandbTracker(**{key: value})
