"""Human labels: the sheet is blind and harmless, labels come back, agreement is counted by question."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.journal import seal
from bench.labels import COLUMNS, choose, item, raters, read_sheet
from bench.workspace import Workspace, write_lines
from tests.reporting.example_run import SYSTEMS, write_example


@pytest.fixture
def run(tmp_path: Path) -> Workspace:
    workspace = Workspace(write_example(tmp_path / "run"))
    lines = workspace.predictions.read_text().splitlines()
    workspace.predictions.write_bytes(b"".join(seal(json.loads(line)) for line in lines))
    assert {p.system for p in workspace.read_predictions()} == set(SYSTEMS)
    return workspace


def bench(*words: Any) -> int:
    return main(["label", *map(str, words)])


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def pairs(run: Workspace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((run.path / "agreement.json").read_text())["pairs"]
    return found


def fill(path: Path, out: Path, **columns: Any) -> Path:
    """A copy of the sheet with a column's cells given by a function of the row."""
    filled = [{**row, **{name: give(row) for name, give in columns.items()}} for row in rows(path)]
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(filled)
    return out


def test_the_sheet_is_blind_balanced_and_the_same_again(run: Workspace, tmp_path: Path) -> None:
    assert bench(run.path, "count=40") == 0
    assert bench(run.path, "count=40", f"out={tmp_path / 'again.csv'}") == 0
    assert bench(run.path, "count=40", "seed=1", f"out={tmp_path / 'other.csv'}") == 0
    text = (run.path / "sheet.csv").read_text()
    assert text == (tmp_path / "again.csv").read_text()
    assert text != (tmp_path / "other.csv").read_text()
    found = rows(run.path / "sheet.csv")
    assert len(found) == 40
    keys = {item(p.key, 0): p.key for p in run.read_predictions()}
    by_system = [sum(keys[row["item"]].system == system for row in found) for system in SYSTEMS]
    assert by_system == [10, 10, 10, 10]
    assert list(found[0]) == list(COLUMNS)
    assert not any(system in cell for row in found for system in ("finetuned", "hybrid") for cell in row.values())
    assert [keys[row["item"]].system for row in found] != sorted(keys[row["item"]].system for row in found)


def test_an_answer_is_no_formula(run: Workspace) -> None:
    changed = [
        dataclasses.replace(p, text="=1+1" if number % 2 else p.text) for number, p in enumerate(run.read_predictions())
    ]
    run.predictions.write_bytes(b"".join(seal(json.loads(json.dumps(dataclasses.asdict(p)))) for p in changed))
    assert bench(run.path, "count=30") == 0
    answers = [row["answer"] for row in rows(run.path / "sheet.csv")]
    assert "'=1+1" in answers
    assert not any(answer.startswith("=") for answer in answers)


def test_labels_come_back_and_agreement_is_counted(
    run: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(run.path, "count=80") == 0
    keys = {item(p.key, 0): p.key for p in run.read_predictions()}
    right = {(s.system, s.task, s.sample, s.repeat): s.value for s in run.read_scores() if s.metric == "accuracy"}

    def measured(row: dict[str, str]) -> bool:
        key = keys[row["item"]]
        return right.get((key.system, key.task, key.sample, key.repeat)) == 1.0

    sheet = run.path / "sheet.csv"
    alike = fill(sheet, tmp_path / "ann.csv", correct=lambda row: "yes" if measured(row) else "No")
    contrary = fill(sheet, tmp_path / "bob.csv", correct=lambda row: "no" if measured(row) else "yes")
    assert bench(run.path, alike, "annotator=ann") == 0
    assert bench(run.path, contrary, "annotator=bob") == 0
    capsys.readouterr()
    found = {(row["first"], row["second"]): row for row in pairs(run)}
    assert found["ann", "accuracy"]["kappa"] == pytest.approx(1.0)
    assert found["bob", "accuracy"]["kappa"] < 0
    assert found["ann", "bob"]["agreed"] == 0
    assert found["ann", "bob"]["n"] == 80
    page = (run.path / "report.html").read_text()
    assert "<h2>What people said of the answers</h2>" in page
    assert "ann and accuracy" in page
    # Labelled again, an answer has its newer label, and the others stay.
    first = rows(sheet)[0]
    other = "no" if measured(first) else "yes"
    one = fill(sheet, tmp_path / "one.csv", correct=lambda row: other if row == first else "")
    assert bench(run.path, one, "annotator=ann") == 0
    found = {(row["first"], row["second"]): row for row in pairs(run)}
    assert found["ann", "accuracy"]["n"] == 80
    assert found["ann", "accuracy"]["agreed"] == pytest.approx(79 / 80)


def test_semicolons_and_a_mark_at_the_start_are_read(run: Workspace, tmp_path: Path) -> None:
    prediction = choose(run.read_predictions(), 1, 0)[0]
    key = item(prediction.key, 0)
    path = tmp_path / "sheet.csv"
    path.write_text(f"\ufeffitem;question;correct;hallucinated\n{key};q;YES;\n", encoding="utf-8")
    labels = read_sheet(path, {key: prediction.key})
    assert labels == {"correct": {prediction.key: True}, "hallucinated": {}}


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ("item,correct,hallucinated\nx,maybe,\n", ["annotator=a"], "row 2: correct is 'maybe'; must be yes"),
        ("item,correct,hallucinated\nx,yes,\n", ["annotator=a"], "row 2: item 'x' is not of this run and seed"),
        ("item,correct,hallucinated\nx,,\n", ["annotator=a"], "nothing is labelled"),
        ("a,b\n1,2\n", ["annotator=a"], "has no column 'item'"),
        ("item,correct,hallucinated\nx,yes,\n", [], "annotator: has to be given"),
        ("item,correct,hallucinated\nx,yes,\n", ["anotator=a"], "anotator: unknown; bench label RUN_DIR"),
        ("item,correct,hallucinated\nx,yes,\n", ["annotator=a", "seed=x"], "seed=x: must be a whole number"),
    ],
)  # fmt: skip
def test_mistakes_are_said_in_one_line(
    run: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: list[str], message: str
) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(content)
    assert bench(run.path, path, *words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_detector_that_knows_only_the_passages_is_a_rater_too(run: Workspace) -> None:
    scores = run.read_scores()
    known = raters(run)["hallucinated"]["detector"]
    assert len(known) == sum(score.metric == "hallucination_rate" for score in scores) > 0
    renamed = [
        dataclasses.asdict(score) | ({"metric": "unfaithful_rate"} if score.metric == "hallucination_rate" else {})
        for score in scores
    ]
    write_lines(run.scores, renamed)
    assert raters(run)["hallucinated"]["detector"] == known
    # Where both are there, it is what is so that counts.
    opposite = [{**dataclasses.asdict(score), "metric": "hallucination_rate", "value": 0.0} for score in scores]
    write_lines(run.scores, [*renamed, *opposite])
    assert not any(raters(run)["hallucinated"]["detector"].values())


def test_a_sheet_is_never_written_over(run: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(run.path) == 0
    assert bench(run.path) == 2
    assert "perhaps with somebody's labels" in capsys.readouterr().err
    assert bench(run.path, run.path / "nowhere.csv", "annotator=a") == 2
