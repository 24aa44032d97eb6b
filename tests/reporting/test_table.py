from __future__ import annotations

import json
from pathlib import Path

from bench.reporting.table import WIDTH, console_table
from tests.reporting.example_run import SYSTEMS, write_example
from tests.reporting.summaries import pairs, share, summary


def test_the_table_marks_what_is_shown_best_and_lines_up() -> None:
    table = console_table(summary({"prompt": 0.69, "hybrid": 0.81}, pairs("prompt-hybrid")))
    assert table.splitlines()[1:] == [
        "",
        "        accuracy",
        "─────────────────────",
        "prompt  69 % (64–74)",
        "hybrid  81 % (76–86)*",
        "* shown better than every other system (paired, Holm-adjusted, 5 %)",
    ]


def test_nothing_is_marked_where_nothing_is_shown() -> None:
    assert "*" not in console_table(summary({"prompt": 0.69, "hybrid": 0.81}, set()))


def test_a_full_run_fits_a_terminal(tmp_path: Path) -> None:
    made = json.loads((write_example(tmp_path) / "summary.json").read_text(encoding="utf-8"))
    table = console_table(made)
    assert max(map(len, table.splitlines())) <= WIDTH < 100
    assert all(any(line.startswith(system) for line in table.splitlines()) for system in SYSTEMS)
    assert "format adherence" in table
    assert "cost per 1,000 calls" in table


def test_leaks_and_stale_answers_are_shown_where_they_were_measured() -> None:
    made = summary({"rag": 0.9, "finetuned": 0.4}, pairs("rag-finetuned"))
    for system, rate in (("rag", 0.05), ("finetuned", 0.69)):
        made["systems"][system]["measures"]["leak_rate"] = share(rate)
    first = console_table(made).splitlines()[2]
    assert first.split() == ["accuracy", "leaks", "in", "answers"]
