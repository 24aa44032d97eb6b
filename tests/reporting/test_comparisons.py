"""The table of every paired comparison."""

from __future__ import annotations

from pathlib import Path

from bench.reporting.comparisons import comparison_rows
from bench.reporting.page import write_report
from tests.reporting.example_run import write_example
from tests.reporting.summaries import comparison


def test_sameness_has_a_word_where_a_margin_is_given() -> None:
    same = {"margin": 0.05, "p_value": 0.01, "equivalent": True}
    made = [
        comparison("prompt", "rag", 0.01, 1.0) | {"equivalence": same},
        comparison("prompt", "hybrid", 0.04, 1.0) | {"equivalence": {**same, "equivalent": False}},
        comparison("rag", "hybrid", 0.03, 1.0),
    ]
    rows = comparison_rows({"comparisons": made, "systems": {}})
    assert [row.same for row in rows] == ["yes, ±0.05", "not shown, ±0.05", ""]


def test_the_page_has_no_such_column_without_one(tmp_path: Path) -> None:
    write_example(tmp_path)
    write_report(tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Detectable</th>" in page
    assert "The same</th>" not in page
