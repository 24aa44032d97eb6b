"""``bench compare``: hand-computed pairs, runs against each other, and what cannot be compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from tests.calling import call, small


def write(path: Path, rows: list[tuple[Any, ...]], header: str = "system,sample,score") -> str:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


def pairs(*arguments: str) -> list[dict[str, Any]]:
    done = call("compare", *arguments, "--json")
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = json.loads(done.out)["comparisons"]
    return found


def test_right_and_wrong_are_tested_as_by_hand(tmp_path: Path) -> None:
    # 20 samples: both right on 5, only a on 9, only b on 2, neither on 4; c equals b.
    a = [1] * 5 + [1] * 9 + [0] * 2 + [0] * 4
    b = [1] * 5 + [0] * 9 + [1] * 2 + [0] * 4
    rows = [(name, at, score) for name, scores in (("a", a), ("b", b), ("c", b)) for at, score in enumerate(scores)]
    first, second, third = pairs(write(tmp_path / "s.csv", rows))
    assert (first["a"], first["b"], first["n"], first["discordant"]) == ("a", "b", 20, [9, 2])
    assert first["difference"] == pytest.approx(7 / 20)
    assert first["p_value"] == pytest.approx(binomtest(2, 11).pvalue)
    # Holm over three: the two smallest p values are equal, the largest is 1.
    assert second["p_value"] == first["p_value"]
    assert [row["p_holm"] for row in (first, second, third)] == pytest.approx([3 * first["p_value"]] * 2 + [1.0])
    assert first["low"] < first["difference"] < first["high"]
    assert first["mde"] > 0
    assert third["discordant"] == [0, 0]


def test_clusters_widen_the_interval(tmp_path: Path) -> None:
    rows = [(name, at, int(name == "a" and at % 20 < 12), at % 20) for name in "ab" for at in range(80)]
    (alone,) = pairs(write(tmp_path / "alone.csv", [row[:3] for row in rows]))
    (shared,) = pairs(write(tmp_path / "shared.csv", rows, "system,sample,score,cluster"))
    assert shared["difference"] == alone["difference"] == pytest.approx(0.6)
    assert shared["high"] - shared["low"] > 1.7 * (alone["high"] - alone["low"])
    assert "cluster" in shared["test"]


def test_json_lines_are_the_same_file(tmp_path: Path) -> None:
    rows = [(name, at, (at * (3 if name == "a" else 5)) % 7 / 7) for name in "ab" for at in range(15)]
    lines = [json.dumps({"system": name, "sample": at, "score": score}) for name, at, score in rows]
    (tmp_path / "s.jsonl").write_text("\n".join(lines))
    assert pairs(str(tmp_path / "s.jsonl")) == pairs(write(tmp_path / "s.csv", rows))


def test_samples_that_only_one_answered_are_left_out_and_said(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", [("a", 1, 1), ("a", 2, 0), ("b", 2, 1), ("b", 3, 0)])
    done = call("compare", path)
    assert done.code == 0
    assert "a and b: 1 samples shared, 2 that only one answered are left out" in done.err
    assert done.out.splitlines()[1].split()[-1] == "1"


WRONG = {
    "system,sample\na,1": "s.csv:1: score is missing; needed are system, sample, score, possible task and cluster",
    "system,sample,score,mark\na,1,1,2": "s.csv:1: unknown column 'mark'; there are: system, sample, score, task",
    "system,sample,score\na,1,good": "s.csv:2: score 'good' is not a number",
    "system,sample,score\na,1,nan": "s.csv:2: score 'nan' is not a number",
    "system,sample,score\na,1": "s.csv:2: has not as many fields as the first line",
    "system,sample,score\na,,1": "s.csv:2: sample is empty",
    "system,sample,score\na,1,1\na,1,0": "s.csv:3: system 'a' has a score for sample '1' on line 2 already",
    "system,sample,score": "s.csv: has no scores",
    "system,sample,score\na,1,1": "there is only one system (a); a comparison needs two or more",
    "system,sample,score\na,1,1\nb,2,1": "a and b share no sample: paired comparison is impossible",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_file_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(text + "\n")
    assert said in call("compare", str(tmp_path / "s.csv")).one_line(2)


@pytest.fixture(scope="module")
def runs(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: one, the same under another seed, and one of another world."""
    place = tmp_path_factory.mktemp("runs")
    for name, change in {"one": "seed=0", "two": "seed=1", "elsewhere": "suite.world_seed=5"}.items():
        done = call("run", *small(tiny_model, f"run_dir={place / name}", f"builds_dir={place / 'builds'}", change))
        assert done.code == 0, done.err
    return place


def test_runs_of_one_suite_are_compared(runs: Path) -> None:
    rows = pairs(str(runs / "one"), str(runs / "two"), "measures=accuracy")
    assert {row["measure"] for row in rows} == {"accuracy"}
    assert {(row["a"], row["b"]) for row in rows} >= {("one/prompt", "two/prompt"), ("one/rag", "two/prompt")}
    whole = [row for row in rows if row["task"] == "suite"]
    assert len(whole) == 6
    assert {row["n"] for row in whole} == {30}


def test_a_run_compared_alone_says_what_its_report_says(runs: Path) -> None:
    summary = json.loads((runs / "one" / "summary.json").read_text())
    wanted = [row for row in summary["comparisons"] if row["measure"] == "accuracy"]
    assert pairs(str(runs / "one"), "measures=accuracy") == wanted


def test_what_cannot_be_compared(runs: Path, tmp_path: Path) -> None:
    line = call("compare", str(runs / "one"), str(runs / "elsewhere")).one_line(2)
    assert "one and elsewhere do not ask the same" in line
    assert "neither a run directory" in call("compare", str(tmp_path)).one_line(2)
    line = call("compare", str(runs / "one"), "measures=acuracy").one_line(2)
    assert line.startswith("bench compare: measures=acuracy: not measured there; there are: ")
    assert "--jsno: no such flag here" in call("compare", str(runs / "one"), "--jsno").one_line(2)
    shutil.copytree(runs / "one", tmp_path / "one")
    assert len({row["a"] for row in pairs(str(runs / "one"), str(tmp_path / "one"))}) == 3


def test_the_comparison_is_kept_where_asked(runs: Path, tmp_path: Path) -> None:
    done = call("compare", str(runs / "one"), f"out={tmp_path / 'c.json'}")
    assert done.code == 0
    assert json.loads((tmp_path / "c.json").read_text())["comparisons"]
