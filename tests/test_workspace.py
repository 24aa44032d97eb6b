"""A run's files: what is written comes back, and what names a run changes when it should."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bench.journal import Journal
from bench.records import Prediction, Sample, Score
from bench.workspace import Workspace, code_hash, environment, read_lines, records_hash, samples_hash, write_lines
from systems.base import Example, Query, UserError

ODD = "line\u2028separator, next\x85line, \x1c file, \ud800 surrogate, ü"
SAMPLE = Sample(
    id="1",
    task="facts",
    query=Query(text=ODD, schema={"type": "object"}, examples=(Example(query="q", answer="a"),), role="finance"),
    reference={"a": [1, None]},
    references=("x",),
    relevant=("DOC",),
    tags={"labels": ["a", "b"]},
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "run")


def test_samples_come_back_as_they_were(workspace: Workspace) -> None:
    other = dataclasses.replace(SAMPLE, id="2", reference=None)
    workspace.write_samples([SAMPLE, other])
    assert workspace.read_samples() == [SAMPLE, other]


def test_predictions_come_back_in_order(workspace: Workspace) -> None:
    made = [Prediction(system="rag", task="facts", sample=n, text=ODD, citations=(2, 1), shown=("c",)) for n in "21"]
    with Journal(workspace.predictions) as journal:
        for prediction in made:
            journal.append(dataclasses.asdict(prediction))
    assert workspace.read_predictions() == made[::-1]


def test_scores_and_verdicts_come_back(workspace: Workspace) -> None:
    score = Score(
        system="rag", task="facts", sample="1", repeat=0, metric="accuracy", value=None, detail={"outcome": ODD}
    )
    write_lines(workspace.scores, [dataclasses.asdict(score)])
    assert workspace.read_scores() == [score]
    assert workspace.read_verdicts() == {}
    row = {"system": "rag", "task": "facts", "sample": "1", "repeat": 0, "verdicts": {"d": {"words": ODD}}}
    write_lines(workspace.verdicts, [row])
    assert workspace.read_verdicts() == {("rag", "facts", "1", 0): {"d": {"words": ODD}}}


def test_no_records_are_an_empty_file(workspace: Workspace) -> None:
    write_lines(workspace.verdicts, [])
    assert read_lines(workspace.verdicts) == []


def test_the_manifest_keeps_what_was_there(workspace: Workspace) -> None:
    assert workspace.read_manifest() == {}
    workspace.update_manifest(a=1, b=ODD)
    assert workspace.update_manifest(b=2) == {"a": 1, "b": 2}
    assert workspace.read_manifest() == {"a": 1, "b": 2}


def test_a_broken_manifest_is_one_line(workspace: Workspace) -> None:
    workspace.update_manifest(a=1)
    workspace.manifest.write_text('{"a": ')
    with pytest.raises(UserError, match=r"manifest.json: not JSON"):
        workspace.read_manifest()


def test_missing_files_are_the_users_to_mend(workspace: Workspace) -> None:
    with pytest.raises(UserError, match=r"is no run directory \(samples.jsonl is missing\)"):
        workspace.read_samples()
    with pytest.raises(UserError, match="has no scores yet; run bench score"):
        workspace.read_scores()


@pytest.mark.parametrize(
    "change",
    [
        {"id": "9"},
        {"reference": None},
        {"query": dataclasses.replace(SAMPLE.query, text="other")},
        {"query": dataclasses.replace(SAMPLE.query, examples=())},
        {"tags": {}},
    ],
)
def test_the_hash_of_samples_changes_with_any_of_them(change: dict[str, object]) -> None:
    assert samples_hash([SAMPLE]) == samples_hash([dataclasses.replace(SAMPLE)])
    assert samples_hash([SAMPLE]) != samples_hash([dataclasses.replace(SAMPLE, **change)])  # type: ignore[arg-type]


def test_a_field_that_the_code_gets_later_changes_no_hash() -> None:
    @dataclasses.dataclass(frozen=True)
    class Now:
        id: str
        tags: tuple[str, ...] = ()

    @dataclasses.dataclass(frozen=True)
    class Later:
        id: str
        tags: tuple[str, ...] = ()
        colour: str | None = None
        others: list[str] = dataclasses.field(default_factory=list)

    assert records_hash([Now("1")]) == records_hash([Later("1")])
    assert records_hash([Later("1")]) != records_hash([Later("1", colour="red")])


def test_the_hash_of_the_code_is_stable_and_the_environment_is_known() -> None:
    assert code_hash() == code_hash()
    found = environment()
    assert found["packages"]["hydra-core"].startswith("1.3")
    assert found["hardware"]["cores"] >= 1
