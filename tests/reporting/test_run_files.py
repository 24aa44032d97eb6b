from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.reporting.run_files import check_summary, read_run
from systems.base import UserError
from tests.reporting.example_run import write_example
from tests.reporting.summaries import summary


def test_a_summary_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(summary({"rag": 0.5}, set())), encoding="utf-8")
    run = read_run(tmp_path)
    assert run.predictions == ()
    assert run.manifest == {}


def test_no_directory_and_no_summary_say_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such run directory"):
        read_run(tmp_path / "absent")
    with pytest.raises(UserError, match=r"summary\.json: missing"):
        read_run(tmp_path)


def test_a_summary_off_its_schema_is_refused_with_the_place() -> None:
    broken = summary({"rag": 0.5}, set())
    del broken["systems"]["rag"]["measures"]["accuracy"]["low"]
    with pytest.raises(UserError, match="systems/rag/measures/accuracy"):
        check_summary(broken)
    check_summary(summary({"rag": 0.5}, set()))


def test_a_broken_line_is_named_and_a_torn_last_one_is_left_out(tmp_path: Path) -> None:
    write_example(tmp_path)
    journal = tmp_path / "predictions.jsonl"
    whole = len(read_run(tmp_path).predictions)
    journal.write_text(journal.read_text(encoding="utf-8") + '{"system": "ra', encoding="utf-8")
    assert len(read_run(tmp_path).predictions) == whole
    journal.write_text('{"system": "ra\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"predictions\.jsonl:1: not JSON"):
        read_run(tmp_path)
    journal.write_text('{"system": "rag", "task": "t"}\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"predictions\.jsonl:1: no 'sample'"):
        read_run(tmp_path)
