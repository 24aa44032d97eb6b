"""Tables beside the measures: the gate, wrong answers asked again, and variants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.reporting.counterfactuals import counterfactual_rows
from bench.reporting.facts import notes
from bench.reporting.gate import gates
from bench.reporting.page import render
from bench.reporting.run_files import RunFiles, check_summary
from bench.reporting.table import WIDTH, console_table
from bench.reporting.variants import variant_rows
from tests.reporting.summaries import comparison, share, summary


def told() -> dict[str, Any]:
    """Three systems, one of which is a variant, with all the tables."""
    made = summary({"prompt": 0.2, "rag": 0.6, "rag_1": 0.5}, set())
    passed, failed = share(0.95, n=80), share(0.5, n=80)
    unknown = share(None, n=0, reason="no relevant documents are labelled")
    made["gate"] = {
        "rag": {
            "facts": {"verdict": "passed", "success_at_5": passed},
            "extraction": {"verdict": "cannot say", "success_at_5": unknown},
        },
        "rag_1": {"facts": {"verdict": "not passed", "success_at_5": failed}},
    }
    row = {
        "wrong": 40,
        "asked": 30,
        "right_with_oracle_context": share(0.7, n=30),
        "right_closed_book": share(0.1, n=30),
    }
    none = {"wrong": 10, "asked": 0} | dict.fromkeys(("right_with_oracle_context", "right_closed_book"), unknown)
    made["counterfactuals"] = {"rag": {**row, "tasks": {"facts": row, "extraction": none}}}
    made["variants"] = {
        "rag_1": {"of": "rag", "differs_in": ["top_k"], "alike": share(0.8), "tasks": {"facts": share(0.75)}}
    }
    made["comparisons"] = [
        comparison("prompt", "rag", -0.4, 0.01),
        comparison("rag", "rag_1", 0.1, 0.02),
        comparison("rag_1", "rag", -0.1, 0.3, task="facts"),
    ]
    check_summary(made)
    return made


def test_the_gate_stands_task_by_task_with_its_reason() -> None:
    rows = [
        (g.task, g.system, g.verdict, g.success.replace("\u00a0", " "), g.interval, g.reason) for g in gates(told())
    ]
    assert rows == [
        ("facts", "rag", "passed", "95 %", "90–100", ""),
        ("facts", "rag_1", "not passed", "50 %", "45–55", ""),
        ("extraction", "rag", "cannot say", "–", "", "no relevant documents are labelled"),
    ]
    assert gates(summary({"prompt": 0.2}, set())) == []


def test_wrong_answers_are_counted_apart() -> None:
    rows = [(r.task, r.wrong, r.asked, r.retrieval, r.model, r.closed_book) for r in counterfactual_rows(told())]
    assert rows == [("", 40, 30, 21, 9, 3), ("facts", 40, 30, 21, 9, 3), ("extraction", 10, 0, 0, 0, 0)]


def test_a_variants_difference_is_its_gain_whichever_way_it_was_tested() -> None:
    suite, task = variant_rows(told())
    assert (suite.system, suite.of, suite.differs_in, suite.task) == ("rag_1", "rag", "top_k", "")
    words = [text.replace("\u00a0", " ") for text in (suite.alike, suite.value, suite.difference, suite.interval)]
    assert words == ["80 %", "50 %", "−10 points", "−15 to −5"]
    assert (task.task, task.difference, task.interval) == ("facts", suite.difference, suite.interval)
    assert (suite.shown, task.shown) == (True, False)


def test_a_variant_that_was_not_compared_has_no_difference() -> None:
    made = told()
    made["comparisons"] = []
    suite, _ = variant_rows(made)
    assert (suite.difference, suite.interval, suite.p_holm, suite.shown) == ("–", "", "–", False)


def test_the_terminal_shows_the_gate_and_what_was_asked_again() -> None:
    table = console_table(told())
    assert max(map(len, table.splitlines())) <= WIDTH
    lines = [line.split("  ") for line in table.splitlines()]
    gate = [[cell.strip() for cell in line if cell] for line in lines]
    assert ["rag", "passed: 95 % (90–100)"] in gate
    assert ["rag_1", "not passed: 50 % (45–55)"] in gate
    assert ["rag", "40", "30", "70 % (65–75)", "9", "10 % (5–15)"] in gate


def test_the_page_shows_all_three(tmp_path: Path) -> None:
    page = render(RunFiles(directory=tmp_path, summary=told()))
    for words in ("The gate before a model is blamed", "Retrieval or the model?", "Each variant beside the system"):
        assert words in page
    assert "<strong>not passed</strong>" in page
    assert 'href="#failures"' in page


def test_answers_on_the_development_split_are_said_to_be_that() -> None:
    texts = [note.text for note in notes(summary({"rag": 0.5}, set(), split="development"))]
    assert any("development split" in text for text in texts)
    assert not any("development split" in note.text for note in notes(told()))
