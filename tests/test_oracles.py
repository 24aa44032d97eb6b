"""Every figure that an oracle has, held to it; ``python -m tests.oracles`` prints the same rows as a table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.metrics.making import public_data
from tests.oracles.__main__ import main
from tests.oracles.row import as_published_here, near, same
from tests.oracles.table import lines, oracles

NEEDS = {"scifact": "bm25s"}
MOST = 150
"""Documents of SciFact that are embedded here; the table takes all."""


@pytest.mark.parametrize("name", oracles(Path()))
def test_what_an_oracle_expects(name: str, tmp_path: Path) -> None:
    oracle = oracles(tmp_path, MOST)[name]
    folder = public_data(oracle.folder)
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    rows = list(oracle.rows(folder))
    assert rows
    assert [row for row in rows if not row.ok] == []


def test_a_row_says_whether_it_is_right() -> None:
    rows = [near("o", "close", 0.5, 0.504, 0.005), near("o", "too far", 0.5, 0.494, 0.005), same("o", "it", "1", "2")]
    assert [row.ok for row in rows] == [True, False, False]
    table = list(lines(rows))
    assert table[0].split() == ["oracle", "what", "expected", "got"]
    assert table[1].split() == ["o", "close", "0.5000", "±", "0.005", "0.5040", "ok"]
    assert table[3].endswith("WRONG")
    [_, own] = lines([as_published_here(near("o", "close", 0.5, 0.504, 0.005))])
    assert own.endswith("  0.5000 ± 0.005 (as published here)  0.5040  ok")


def test_what_no_third_party_published_is_marked() -> None:
    """The detector's figures come out of this project's own file, and nobody published bounds for accuracy."""
    for name, own in (("ragtruth", 6), ("people", 3), ("em", 0), ("trec", 0)):
        oracle = oracles(Path())[name]
        rows = list(oracle.rows(public_data(oracle.folder)))
        assert sum(row.own for row in rows) == own, name


def test_the_command_takes_names(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["emm"]) == 2
    assert "emm: there is no such oracle or setting; there are: em, people, trec" in capsys.readouterr().err
    if os.environ.get("KNOWHOW_DATA"):
        assert main(["trec"]) == 0
        assert "ndcg_cut_10 over all queries" in capsys.readouterr().out
    monkeypatch.delenv("KNOWHOW_DATA", raising=False)
    assert main(["trec"]) == 2
    assert "KNOWHOW_DATA is not set" in capsys.readouterr().err
