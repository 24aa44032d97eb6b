"""Wrong answers asked again: those and no others, by the same system, and nothing of it in the run's measures."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.assembly import Assembly
from bench.config import compose
from bench.counterfactuals import ask_again
from bench.journal import read
from bench.reporting.run_files import check_summary
from bench.run import run
from bench.workspace import Workspace
from systems.base import Request
from systems.engines.stub import StubEngine
from tests.calling import call, small


def assembled(model: Path, place: Path, *further: str) -> Assembly:
    """A run whose engine knows every answer, and tells it only where there is one passage to read, or none at all and
    the fact is on an even number of the list."""
    settings = [one for one in small(model, *further) if not one.startswith("load.")]
    assembly = Assembly(compose([*settings, "load=none", f"run_dir={place}", f"builds_dir={place.parent / 'builds'}"]))
    known: dict[str, tuple[int, str]] = {}
    for number, sample in enumerate(assembly.samples):
        text = sample.reference if isinstance(sample.reference, str) else json.dumps(sample.reference)
        known.setdefault(sample.query.text, (number, text))

    def answer(request: Request) -> str:
        asked = request.messages[-1].content
        block, _, question = asked.rpartition("\n\n") if asked.startswith("Passages:") else ("", "", asked)
        number, reference = known.get(question, (1, "I don't know."))
        told = block.count("\n") == 1 if block else number % 2 == 0
        return reference if told else "I don't know."

    assembly.__dict__["engine"] = StubEngine(model=assembly.model, answer=answer)
    return assembly


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("counterfactuals")


@pytest.fixture(scope="module")
def asked(tiny_model: Path, place: Path) -> tuple[Workspace, dict[str, Any]]:
    assembly = assembled(tiny_model, place / "asked", "counterfactuals=wrong")
    return assembly.workspace, run(assembly)


@pytest.fixture(scope="module")
def plain(tiny_model: Path, place: Path) -> dict[str, Any]:
    assembly = assembled(tiny_model, place / "plain")
    summary = run(assembly)
    assert not assembly.workspace.counterfactuals.exists()
    return summary


def test_wrong_answers_with_known_evidence_are_asked_twice_more(asked: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, _ = asked
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    wrong = {
        (score.task, score.sample)
        for score in workspace.read_scores()
        if score.system == "rag" and score.metric == "accuracy" and score.value == 0
    }
    owed = {key for key in wrong if samples[key].relevant}
    records = list(read(workspace.counterfactuals))
    assert {r["system"] for r in records} == {"rag"}
    assert Counter((r["condition"], r["task"], r["sample"]) for r in records) == Counter(
        (condition, *key) for condition in ("oracle_context", "closed_book") for key in owed
    )
    assert len(owed) >= 10


def test_the_oracle_context_is_the_relevant_chunks_and_closed_book_none(
    asked: tuple[Workspace, dict[str, Any]],
) -> None:
    workspace, _ = asked
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    for record in read(workspace.counterfactuals):
        shown = dict(zip(record["retrieved"], record["retrieved_documents"], strict=True))
        if record["condition"] == "closed_book":
            assert (shown, record["shown"]) == ({}, [])
        else:
            assert set(shown.values()) == set(samples[record["task"], record["sample"]].relevant)
            assert record["shown"] == list(shown)


def test_what_the_report_says_is_what_the_engine_does(asked: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, summary = asked
    check_summary(summary)
    [(system, row)] = summary["counterfactuals"].items()
    assert system == "rag"
    for task in ("facts", "review"):
        told = row["tasks"][task]
        assert told["wrong"] == told["asked"] > 0
        assert told["right_with_oracle_context"]["estimate"] == 1.0
    assert 0 < row["right_closed_book"]["estimate"] < 1
    # No passage is relevant to these, so nobody can be asked again with it.
    assert row["tasks"]["extraction"]["asked"] == 0
    assert row["wrong"] == sum(task["wrong"] for task in row["tasks"].values())
    page = (workspace.path / "report.html").read_text(encoding="utf-8")
    assert "Retrieval or the model?" in page


def test_they_are_in_no_measure_comparison_or_count(
    asked: tuple[Workspace, dict[str, Any]], plain: dict[str, Any]
) -> None:
    _, summary = asked
    assert plain["counterfactuals"] == {}
    for part in ("planned", "completed", "systems", "comparisons", "effects", "gate", "variants"):
        assert summary[part] == plain[part], part


def test_a_cut_journal_is_gone_on_with(asked: tuple[Workspace, dict[str, Any]], tiny_model: Path, place: Path) -> None:
    workspace, _ = asked
    lines = workspace.counterfactuals.read_bytes().splitlines(keepends=True)
    workspace.counterfactuals.write_bytes(b"".join(lines[:5]) + lines[5][:20])
    assembly = assembled(tiny_model, place / "asked", "counterfactuals=wrong")
    from bench.build import ready

    with ready(assembly) as built:
        assert ask_again(assembly, built) == len(lines) - 5
        assert ask_again(assembly, built) == 0

    def name(record: dict[str, Any]) -> tuple[str, ...]:
        return tuple(str(record[key]) for key in ("condition", "system", "task", "sample", "text", "shown"))

    before = sorted(name(json.loads(line)) for line in lines)
    assert sorted(map(name, read(workspace.counterfactuals))) == before


def test_the_stage_alone_asks_for_a_run_that_has_its_answers(tiny_model: Path, tmp_path: Path) -> None:
    settings = small(tiny_model, f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}")
    settings += ["counterfactuals=wrong", "load=none"]
    settings = [one for one in settings if not one.startswith("load.")]
    assert call("generate", *settings).code == 0
    done = call("counterfactuals", *settings)
    assert done.code == 0, done.err
    # The stub knows nothing: what has an answer somewhere is wrong, 6 of each of three tasks.
    assert Counter(r["condition"] for r in read(Workspace(tmp_path / "run").counterfactuals)) == {
        "oracle_context": 18,
        "closed_book": 18,
    }
