"""``bench compare``: hand-computed pairs, runs against each other, and what cannot be compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from scipy.stats import binomtest

from bench.stats import two_one_sided_tests
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


def test_a_pair_that_lacks_a_task_has_no_suite_row(tmp_path: Path) -> None:
    """c has answers to t1 alone: its mean over t1 is none over the suite, and no part of that family."""
    rows = [(name, at, (at * 7 + ord(name)) % 2, task) for name in "abc" for task in ("t1", "t2") for at in range(8)]
    path = write(
        tmp_path / "s.csv", [row for row in rows if row[0] != "c" or row[3] == "t1"], "system,sample,score,task"
    )
    found = pairs(path)
    assert [(row["a"], row["b"]) for row in found if row["task"] == "suite"] == [("a", "b")]
    assert len([row for row in found if row["task"] == "t1"]) == 3
    assert (
        "a and c: not compared in score over the whole suite; they share no sample of t2" in call("compare", path).err
    )


def test_bounds_are_said_and_not_guessed(tmp_path: Path) -> None:
    """Ten ties from two clusters: without bounds no interval, with them one that has a width."""
    rows = [(name, at, 0.25 + 0.25 * (at // 5), at // 5) for name in "ab" for at in range(10)]
    path = write(tmp_path / "s.csv", rows, "system,sample,score,cluster")
    (unknown,) = pairs(path)
    assert (unknown["low"], unknown["high"]) == (None, None)
    assert "no bounds are known" in unknown["method"]
    assert "no bounds are known" in call("compare", path).out
    (known,) = pairs(path, "bounds=0,1")
    # Two clusters of difference 0, with -1 and 1 added: variance 2 / 4, so 1.96 * sqrt(0.5 / 4).
    assert (known["low"], known["high"]) == pytest.approx((-0.69295, 0.69295), abs=1e-5)
    line = call("compare", path, "bounds=0,0.3").one_line(2)
    assert "s.csv:7: score 0.5 is not within bounds=0,0.3" in line
    for wrong in ("1,0", "0", "0,nan", "low,high"):
        assert f"bounds={wrong}: must be the least and the greatest" in call(
            "compare", path, f"bounds={wrong}"
        ).one_line(2)


def test_sameness_is_tested_against_a_margin(tmp_path: Path) -> None:
    rows = [(name, at, int((at + (name == "b" and at < 4)) % 2)) for name in "ab" for at in range(400)]
    path = write(tmp_path / "s.csv", rows)
    (row,) = pairs(path, "margin=0.05")
    differences = [0.0] * 396 + [1.0, -1.0] * 2
    expected = two_one_sided_tests(differences, 0.05)
    assert row["equivalence"] == {"margin": 0.05, "p_value": pytest.approx(expected.p_value), "equivalent": True}
    assert "yes ±0.05" in call("compare", path, "margin=0.05").out
    assert "not shown ±0.005" in call("compare", path, "margin=0.005").out
    assert "equivalence" not in pairs(path)[0]
    for wrong in ("0", "-1", "five"):
        assert f"margin={wrong}: must be a number above 0" in call("compare", path, f"margin={wrong}").one_line(2)


def test_the_largest_scores_overflow_nothing(tmp_path: Path) -> None:
    rows = [(name, at, f"{(-1) ** (at * ord(name) // 3)}e100") for name in "ab" for at in range(12)]
    (row,) = pairs(write(tmp_path / "s.csv", rows), "margin=1", "bounds=-1e100,1e100")
    assert row["mde"] is None or 0 < row["mde"] <= 2e100
    assert not row["equivalence"]["equivalent"]


def test_ten_thousand_resamples_and_sign_flips(tmp_path: Path) -> None:
    rows = [(name, at, ((at * (3 if name == "a" else 5)) % 17) / 17) for name in "ab" for at in range(40)]
    (row,) = pairs(write(tmp_path / "s.csv", rows))
    assert row["method"].endswith("10000 resamples")
    assert row["test"] == "cluster sign flips, 10000 drawn"


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


def test_a_report_says_what_is_the_same_where_a_margin_is_given(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "one", tmp_path / "one")
    assert call("report", str(tmp_path / "one"), "margin=0.3").code == 0
    summary = json.loads((tmp_path / "one" / "summary.json").read_text())
    jsonschema.validate(summary, json.loads(Path("bench/reporting/summary.schema.json").read_text()))
    assert {row["equivalence"]["margin"] for row in summary["comparisons"] if row["measure"] == "accuracy"} == {0.3}
    assert "The same</th>" in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_compared(runs: Path, tmp_path: Path) -> None:
    line = call("compare", str(runs / "one"), str(runs / "elsewhere")).one_line(2)
    assert "one and elsewhere do not ask the same" in line
    assert "neither a run directory" in call("compare", str(tmp_path)).one_line(2)
    line = call("compare", str(runs / "one"), "measures=acuracy").one_line(2)
    assert line.startswith("bench compare: measures=acuracy: not measured there; there are: ")
    line = call("compare", str(runs / "one"), "bounds=0,1").one_line(2)
    assert "bounds: are for a file of scores" in line
    assert "--jsno: no such flag here" in call("compare", str(runs / "one"), "--jsno").one_line(2)
    shutil.copytree(runs / "one", tmp_path / "one")
    assert len({row["a"] for row in pairs(str(runs / "one"), str(tmp_path / "one"))}) == 3


def test_the_comparison_is_kept_where_asked(runs: Path, tmp_path: Path) -> None:
    done = call("compare", str(runs / "one"), f"out={tmp_path / 'c.json'}")
    assert done.code == 0
    assert json.loads((tmp_path / "c.json").read_text())["comparisons"]
