"""A detector that people do not agree with, or were not asked about where that is needed: its measures are marked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.journal import seal
from bench.labels import Agreement, item
from bench.metrics.declared import metric
from bench.reporting.run_files import check_summary
from bench.reporting.table import console_table
from bench.secondary import doubt, mark
from bench.tracking.flat import flat_summary
from bench.workspace import Workspace
from systems.base import UserError
from tests.reporting.example_run import TASKS, write_example
from tests.reporting.summaries import pairs, share, summary
from tests.test_label import fill

JUDGE = {"detector": "judge", "judged": 9, "least_kappa": 0.6, "labels_needed": True}


def agreement(kappa: float | None, first: str = "ann", **more: Any) -> Agreement:
    low, high = (None, None) if kappa is None else (kappa - 0.1, kappa + 0.1)
    found = {"question": "hallucinated", "second": "detector", "n": 40, "agreed": 0.8, "low": low, "high": high}
    return Agreement(**{**found, "first": first, "kappa": kappa, **more})


@pytest.mark.parametrize(
    ("manifest", "found", "said"),
    [
        ({}, [agreement(0.6)], None),
        (
            {},
            [agreement(0.59)],
            "judge agrees with ann at a kappa of 0.59 (40 answers, 0.49 to 0.69); detector.least_kappa=0.6 is asked",
        ),
        ({}, [agreement(0.9), agreement(0.2, "bob")], "judge agrees with bob at a kappa of 0.20"),
        ({}, [], "judge was not held against people's labels (bench label); detector.least_kappa=0.6 is asked for"),
        ({}, [agreement(None, reason="both gave one label")], "kappa of judge and ann is not defined (both gave one"),
        # What people say of each other, or of accuracy, says nothing of the judge.
        (
            {},
            [agreement(0.9, second="bob"), agreement(0.9, question="correct", second="accuracy")],
            "judge was not held",
        ),
        ({"least_kappa": None}, [agreement(0.1)], None),
        ({"judged": 0}, [], None),
        ({"labels_needed": False}, [], None),
        ({"labels_needed": False}, [agreement(0.1)], "judge agrees with ann at a kappa of 0.10"),
    ],
)
def test_when_a_detector_is_in_doubt(manifest: dict[str, Any], found: list[Agreement], said: str | None) -> None:
    reason = doubt({**JUDGE, **manifest}, found)
    assert reason is None if said is None else reason is not None and reason.startswith(said)


METRICS = [metric(name) for name in ("accuracy", "hallucination_rate", "accepted")]


def test_what_rests_on_it_is_marked_and_unmarked() -> None:
    made = summary({"rag": 0.5, "prompt": 0.4}, set())
    of_rag = made["systems"]["rag"]
    of_rag["measures"] |= {
        "hallucination_rate": share(0.1),
        "cost_per_accepted_answer": [share(0.1, mode="one"), share(0.1, mode="two")],
    }
    of_rag["tasks"]["facts"]["accepted"] = share(0.1)
    made["comparisons"].append({**made["comparisons"][0], "measure": "hallucination_rate"})
    effect = {"retrieval": share(0.1), "tasks": {"facts": {"retrieval": share(0.1)}}}
    made["effects"] = {"hallucination_rate": effect, "accuracy": {"retrieval": share(0.1)}}
    before = json.dumps(made)
    check_summary(mark(made, METRICS, "nobody was asked"))
    assert made["run"]["secondary"] == "nobody was asked"
    assert of_rag["measures"]["hallucination_rate"]["secondary"]
    assert [one["secondary"] for one in of_rag["measures"]["cost_per_accepted_answer"]] == [True, True]
    assert of_rag["tasks"]["facts"]["accepted"]["secondary"]
    assert [row["measure"] for row in made["comparisons"] if row.get("secondary")] == ["hallucination_rate"]
    assert effect["retrieval"]["secondary"]
    assert effect["tasks"]["facts"]["retrieval"]["secondary"]
    assert json.dumps(made).count('"secondary"') == 8
    assert json.dumps(mark(made, METRICS, None)) == before


def test_the_terminal_says_so() -> None:
    values = {"prompt": 0.3, "rag": 0.1}
    made = mark(summary(values, pairs("prompt-rag"), measure="hallucination_rate"), METRICS, "nobody was asked")
    lines = console_table(made).splitlines()
    assert "hallucination rate (secondary)" in lines[2]
    assert lines[-1] == "(secondary): nobody was asked"
    assert dict(flat_summary(made, "rag"))["hallucination_rate/secondary"] is True


@pytest.fixture
def run(tmp_path: Path) -> Workspace:
    workspace = Workspace(write_example(tmp_path / "run"))
    lines = workspace.predictions.read_text().splitlines()
    workspace.predictions.write_bytes(b"".join(seal(json.loads(line)) for line in lines))
    workspace.update_manifest(**JUDGE, metrics={task: ["accuracy", "hallucination_rate"] for task in TASKS})
    return workspace


def test_labels_decide_and_page_and_summary_follow(
    run: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", str(run.path), "count=120"]) == 0
    keys = {item(p.key, 0): p.key for p in run.read_predictions()}
    said = {(s.system, s.task, s.sample): s.value for s in run.read_scores() if s.metric == "hallucination_rate"}

    def judged(row: dict[str, str]) -> bool:
        key = keys[row["item"]]
        return said[key.system, key.task, key.sample] == 1.0

    def answer(name: str, given: Any) -> str:
        sheet = fill(run.path / "sheet.csv", tmp_path / f"{name}.csv", hallucinated=given)
        assert main(["label", str(run.path), str(sheet), f"annotator={name}"]) == 0
        return capsys.readouterr().out

    def shown() -> tuple[int, str]:
        page = (run.path / "report.html").read_text(encoding="utf-8")
        return page.count('<span class="mode">secondary</span>'), re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page))

    answer("ann", lambda row: "yes" if judged(row) else "no")
    found = json.loads(run.summary.read_text())
    assert "secondary" not in found["run"]
    assert shown()[0] == 0
    told = answer("bob", lambda row: "no" if judged(row) else "yes")
    assert "secondary: judge agrees with bob at a kappa of -" in told
    found = json.loads(run.summary.read_text())
    assert found["run"]["secondary"].endswith("detector.least_kappa=0.6 is asked for")
    assert found["systems"]["rag"]["measures"]["hallucination_rate"]["secondary"] is True
    assert "secondary" not in found["systems"]["rag"]["measures"]["accuracy"]
    marks, words = shown()
    assert marks == 1 + len(TASKS)
    assert "not shown to agree with people: judge agrees with bob at a kappa of -" in words
    assert "Hallucination rate (secondary)" in words


def test_a_least_kappa_that_can_be_none_is_refused() -> None:
    from bench.detectors.lexical import Lexical

    with pytest.raises(UserError, match=r"detector\.least_kappa=1\.2: must be between 0 and 1"):
        Lexical(threshold=3, least_kappa=1.2)
