"""A whole run: exactly what was planned, once; found again, never mixed, and reproduced from its own files."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.assembly import Assembly
from bench.begin import planned
from bench.config import compose
from bench.journal import read
from bench.loading.measured import Whole
from bench.records import Key
from bench.reporting.run_files import check_summary
from bench.workspace import Workspace
from tests.calling import Outcome, call, small
from tests.failing import ERROR


def keys(workspace: Workspace) -> list[Key]:
    return [Key(r["system"], r["task"], r["sample"], r["repeat"]) for r in read(workspace.predictions)]


def contents(directory: Path) -> dict[str, bytes]:
    """Every file but the lease, which counts its holders."""
    files = (file for file in directory.rglob("*") if file.is_file() and not file.name.startswith(".lease."))
    return {file.relative_to(directory).as_posix(): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def first(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    place = tmp_path_factory.mktemp("first")
    done = call("run", *small(tiny_model, f"run_dir={place / 'run'}", f"builds_dir={place / 'builds'}"))
    assert done.code == 0, done.err
    return done


@pytest.fixture
def copy(first: Outcome, tmp_path: Path) -> Path:
    """A copy of the finished run, to be tampered with."""
    return Path(shutil.copytree(first.path, tmp_path / "run"))


def again(model: Path, run: Path, first: Outcome, *further: str) -> Outcome:
    return call("run", *small(model, f"run_dir={run}", f"builds_dir={first.path.parent / 'builds'}", *further))


def test_exactly_the_planned_predictions_none_doubled(first: Outcome) -> None:
    workspace = Workspace(first.path)
    wanted = planned(["prompt", "rag"], workspace.read_samples(), 1)
    assert len(wanted) == 2 * 5 * 6
    assert Counter(keys(workspace)) == Counter(wanted)


def test_the_summary_follows_its_schema_and_says_what_ran(first: Outcome) -> None:
    workspace = Workspace(first.path)
    summary = json.loads(workspace.summary.read_text())
    check_summary(summary)
    assert (summary["planned"], summary["completed"], list(summary["systems"])) == (60, 60, ["prompt", "rag"])
    assert summary["run"]["engine"] == "stub"
    whole = Whole(read(workspace.load))
    assert [(cell.system, cell.rate, cell.users, len(whole.requests(cell))) for cell in whole.cells()] == [
        ("prompt", 50, None, 8),
        ("rag", 50, None, 8),
        ("prompt", None, 4, 8),
        ("rag", None, 4, 8),
    ]
    manifest = workspace.read_manifest()
    assert manifest["engine"]["version"] == "1"
    assert manifest["build"]["index"]["chunks"] > 0
    assert manifest["build"]["index"]["embedder"] is None


def test_results_go_to_stdout_and_the_directory_comes_last(first: Outcome) -> None:
    assert first.out.splitlines()[-2:] == [f"report: {first.path / 'report.html'}", str(first.path)]
    assert (first.path / "report.html").stat().st_size > 1000
    assert "generating" in first.err


def test_the_same_command_shows_the_finished_run_and_touches_nothing(
    first: Outcome, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(first.path)
    monkeypatch.setattr("bench.build.build_all", None)  # would have to be called to load or build anything
    second = again(tiny_model, first.path, first)
    assert second.out == first.out
    assert contents(first.path) == before


def test_a_run_is_named_by_its_experiment_and_config(place: Path, tiny_model: Path) -> None:
    def path(*overrides: str) -> Path:
        return Assembly(compose(small(tiny_model, *overrides))).workspace.path

    assert path().parent == Path("results/runs")
    assert path().name.startswith("pocket-")
    assert path("tracker=wandb", "builds_dir=elsewhere") == path()
    assert len({path(), path("seed=1"), path("suite.count=7"), path("systems.rag.top_k=3")}) == 4
    assert path("run_dir=mine") == Path("mine")


def test_stages_one_by_one_leave_what_the_whole_run_leaves(first: Outcome, tiny_model: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    # The same index: one that is built again may order equally good passages otherwise.
    settings = small(tiny_model, f"run_dir={run}", f"builds_dir={first.path.parent / 'builds'}")
    assert "(was there)" in call("build", *settings).out
    for stage in ("generate", "load"):
        done = call(stage, *settings)
        assert done.code == 0, done.err
    for stage in ("detect", "score", "report"):
        done = call(stage, str(run))
        assert done.code == 0, done.err
    ours, theirs = Workspace(run), Workspace(first.path)
    assert ours.scores.read_bytes() == theirs.scores.read_bytes()
    assert [(p.key, p.text, p.shown) for p in ours.read_predictions()] == [
        (p.key, p.text, p.shown) for p in theirs.read_predictions()
    ]
    assert ours.read_manifest()["engine"] == theirs.read_manifest()["engine"]
    check_summary(json.loads(ours.summary.read_text()))
    # Begun by stages, the run is finished by the whole command, which answers nothing again.
    journal = ours.predictions.read_bytes()
    assert call("run", *settings).code == 0
    assert ours.predictions.read_bytes() == journal


def test_scores_and_report_are_reproduced_from_the_files(copy: Path) -> None:
    before = contents(copy)
    for name in ("verdicts.jsonl", "scores.jsonl", "summary.json", "attribution.json", "report.html"):
        (copy / name).unlink()
    assert call("report", str(copy)).one_line(2).endswith(f"has no scores yet; run bench score {copy} first")
    for stage in ("detect", "score", "report"):
        assert call(stage, str(copy)).code == 0
    assert contents(copy) == before


def test_an_old_run_is_priced_anew(copy: Path) -> None:
    def cost() -> Any:
        measures = json.loads((copy / "summary.json").read_text())["systems"]["rag"]["measures"]
        return measures["cost_per_call"][0] if "cost_per_call" in measures else None

    cheap = cost()["estimate"]
    machines = Workspace(copy).read_manifest()["hardware"]["cores"] / 2  # of the price's two cores
    assert call("report", str(copy), "price=h100").code == 0
    assert "ran on a CPU" in cost()["reason"]
    assert call("report", str(copy), "price=h100", "price.device=null").code == 0
    assert cost()["estimate"] == pytest.approx(cheap / machines * 6.98 / 0.08925)
    assert call("report", str(copy), "price.per_hour=0.1785").code == 0
    assert cost()["estimate"] == pytest.approx(cheap * 2)
    api = (
        "price=api",
        "price.per_million_in=1",
        "price.per_million_out=2",
        "price.source=x",
        "price.date='2026-01-31'",
    )
    assert call("report", str(copy), *api).code == 0
    assert cost()["estimate"] != pytest.approx(cheap)
    assert call("report", str(copy), "price=none").code == 0
    assert cost() is None
    assert not Workspace(copy).cost.exists()


def test_a_run_leaves_its_account_and_a_report_keeps_what_was_declared(copy: Path) -> None:
    def account() -> Any:
        return json.loads((copy / "cost.json").read_text())

    found = account()
    assert found["settings"]["volume"] is None
    index = Workspace(copy).read_manifest()["build"]["index"]
    assert (index["made"]["cached"], index["made"]["ran_on"]) == (0, "cpu")
    machines = index["made"]["hardware"]["cores"] / 2
    assert found["systems"]["rag"]["indexing"]["estimate"] == pytest.approx(
        index["made"]["seconds"] / 3600 * 0.08925 * machines
    )
    assert call("cost", str(copy), "volume=5000", "operation.rag=7").code == 0
    assert call("report", str(copy), "price.per_hour=1").code == 0
    assert (account()["settings"]["volume"], account()["price"]["per_hour"]) == (5000, 1)
    assert account()["systems"]["rag"]["fixed_per_month"]["estimate"] > 7


@pytest.mark.parametrize("what", ["code", "data", "model", "config"])
def test_what_other_code_or_data_made_is_not_mixed(what: str, copy: Path, first: Outcome, tiny_model: Path) -> None:
    workspace = Workspace(copy)
    made_by = workspace.read_manifest()["made_by"]
    workspace.update_manifest(made_by={**made_by, what: "0123456789abcdef"})
    before = contents(copy)
    said = again(tiny_model, copy, first).last_line(2)
    assert said == (
        f"bench run: {copy}: was begun with other {what} (0123456789abcdef, now {made_by[what]}); "
        "start anew with run_dir=NEW, or set it aside with --fresh"
    )
    assert contents(copy) == before


@pytest.mark.parametrize(
    ("change", "what"), [("passages=2", "config"), ("suite.count=7", "data"), ("systems=all", "config")]
)
def test_a_directory_takes_no_other_config(
    change: str, what: str, copy: Path, first: Outcome, tiny_model: Path
) -> None:
    said = again(tiny_model, copy, first, change).last_line(2)
    assert f"was begun with other {what} (" in said


def test_fresh_sets_aside_and_loses_nothing(copy: Path, first: Outcome, tiny_model: Path) -> None:
    before = contents(copy)
    for number in (1, 2):
        done = again(tiny_model, copy, first, "--fresh")
        assert (done.code, done.path) == (0, copy)
        assert f"set aside: {copy}.aside-{number}" in done.err
    assert contents(copy.with_name("run.aside-1")) == before
    assert len(keys(Workspace(copy))) == 60


def test_failed_calls_are_counted_and_never_dropped(tiny_model: Path, tmp_path: Path) -> None:
    engine = ("engine._target_=tests.failing.FailingEngine", "+engine.every=3")
    done = call("run", *small(tiny_model, f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}", *engine))
    assert done.code == 0, done.err
    workspace = Workspace(tmp_path / "run")
    predictions = workspace.read_predictions()
    failed = {p.key for p in predictions if p.error is not None}
    assert len(predictions) == 60
    assert len(failed) == 20
    assert {p.error for p in predictions if p.key in failed} == {ERROR}
    wrong = {
        Key(s.system, s.task, s.sample, s.repeat): s.value for s in workspace.read_scores() if s.metric == "accuracy"
    }
    assert {wrong[key] for key in failed} == {0.0}
    summary = json.loads(workspace.summary.read_text())
    assert (summary["planned"], summary["completed"]) == (60, 60)
    for system in summary["systems"].values():
        assert {task["accuracy"]["n"] for task in system["tasks"].values()} == {6}
    causes = json.loads(workspace.attribution.read_text())
    assert sum(task.get("no call", 0) for tasks in causes.values() for task in tasks.values()) == 20
    loads = [record for record in read(workspace.load) if record["kind"] == "request"]
    assert (len(loads), sum(r["error"] is not None for r in loads)) == (40, 14)


def test_a_run_in_which_nothing_answers_still_reports(tiny_model: Path, tmp_path: Path) -> None:
    engine = ("engine._target_=tests.failing.FailingEngine", "+engine.every=1")
    done = call("run", *small(tiny_model, f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}", *engine))
    assert done.code == 0, done.err
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    check_summary(summary)
    assert summary["completed"] == 60
    measures = summary["systems"]["rag"]["measures"]
    assert measures["accuracy"]["estimate"] == 0.0
    assert (measures["cost_per_call"][0]["estimate"], measures["latency_e2e_p50"][0]["estimate"]) == (None, None)
    assert measures["error_rate"][0]["estimate"] == 1.0


def test_repeats_ask_every_question_again(tiny_model: Path, tmp_path: Path) -> None:
    arguments = [a for a in small(tiny_model, "repeats=2", "load=none") if not a.startswith("load.")]
    done = call("run", *arguments, "suite.count=1", f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}")
    assert done.code == 0, done.err
    workspace = Workspace(tmp_path / "run")
    assert Counter(keys(workspace)) == Counter(planned(["prompt", "rag"], workspace.read_samples(), 2))
    assert not workspace.load.exists() or not list(read(workspace.load))


def test_as_many_passages_are_shown_as_are_asked_for(tiny_model: Path, tmp_path: Path) -> None:
    """The retriever's own top_k is 5: it must not cap what a system is to show."""
    further = ("systems.rag.top_k=8", "systems.rag.context_budget=100000", "suite.count=2")
    done = call("run", *small(tiny_model, f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}", *further))
    assert done.code == 0, done.err
    shown = {len(p.shown) for p in Workspace(tmp_path / "run").read_predictions() if p.system == "rag"}
    assert max(shown) == 8


def test_the_development_split_is_asked_where_the_config_says_so(tiny_model: Path, tmp_path: Path) -> None:
    settings = [a for a in small(tiny_model, "split=development", "load=none") if not a.startswith("load.")]
    done = call("run", *settings, f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}")
    assert done.code == 0, done.err
    workspace = Workspace(tmp_path / "run")
    samples = workspace.read_samples()
    assert samples == Assembly(compose(settings)).suite.samples("development")
    assert len(workspace.read_predictions()) == 2 * len(samples)
    assert workspace.read_manifest()["split"] == "development"
    assert json.loads(workspace.summary.read_text())["run"]["split"] == "development"


def test_a_split_without_samples_is_refused(tiny_model: Path, place: Path) -> None:
    (place / "samples.jsonl").write_text('{"id": "1", "query": "What?", "reference": "This."}\n')
    settings = [a for a in small(tiny_model, "load=none") if not a.startswith(("load.", "suite.", "experiment="))]
    said = call("run", *settings, "suite=files", "samples=samples.jsonl", "split=development").last_line(2)
    assert said == "bench run: suite: has no samples to evaluate in split=development"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "prompt.tuned.reasoning=true",
            "systems.finetuned.prompt.reasoning=true: weights are tuned on answers without",
        ),
        ("systems.rag.top_k=0", "systems.rag.top_k=0: must be 1 or more"),
    ],
)
def test_what_a_system_refuses_is_said_before_anything_is_built(
    change: str, said: str, tiny_model: Path, place: Path
) -> None:
    done = call("run", *small(tiny_model, "systems=all", change))
    assert done.last_line(2).startswith(f"bench run: {said}")
    assert not (place / "results").exists()


def test_steps_are_journaled_apart_from_the_answer(tiny_model: Path, tmp_path: Path) -> None:
    settings = [a for a in small(tiny_model, "load=none") if not a.startswith(("load.", "systems="))]
    steps = ("prompt.base.reasoning=true", "engine.default='It is not there. Final answer: unknown'")
    done = call("run", *settings, *steps, "systems=base", f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'b'}")
    assert done.code == 0, done.err
    found = {(p.text, p.reasoning, p.tokens_out) for p in Workspace(tmp_path / "run").read_predictions()}
    assert found == {("unknown", "It is not there.", 7)}
