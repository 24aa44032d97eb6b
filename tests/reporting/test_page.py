"""The page as text: what it says, what it leaves out, and that nothing of a run is markup."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from bench.reporting.measures import ordered, quoted
from bench.reporting.page import render, write_report
from bench.reporting.rows import by_mode, cell, groups
from bench.reporting.run_files import RunFiles, read_run
from bench.reporting.stages import stage_table
from tests.reporting.example_run import SCRIPT, write_example
from tests.reporting.summaries import pairs, share, summary


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.found


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(write_example(tmp_path_factory.mktemp("run"))).read_text(encoding="utf-8")


def test_answers_and_queries_are_escaped(html: str) -> None:
    assert SCRIPT not in html
    assert "&lt;script&gt;window.taken" in html
    assert [tag for tag, _ in tags(html)].count("script") == 1
    assert not [tag for tag, _ in tags(html) if tag in ("img", "iframe", "object", "embed", "base")]
    assert not [name for _, attributes in tags(html) for name in attributes if name.startswith("on")]


def test_hostile_names_of_systems_tasks_and_modes_are_escaped(tmp_path: Path) -> None:
    bad = '"><script>1</script>'
    made = summary({bad: 0.5, "rag": 0.6}, pairs(f"{bad}-rag"), model=bad, experiment=bad)
    made["systems"][bad]["measures"]["latency_e2e_p50"] = share(0.2, mode=bad, unit=bad)
    made["systems"][bad]["tasks"][bad] = {bad: share(0.5)}
    found = tags(
        render(RunFiles(directory=tmp_path, summary=made, attribution={bad: {bad: {bad: 3}}}, manifest={bad: bad}))
    )
    assert [tag for tag, _ in found].count("script") == 1


def test_the_page_loads_nothing(html: str) -> None:
    links = [
        value or "" for _, attributes in tags(html) for name, value in attributes.items() if name in ("src", "href")
    ]
    assert links
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert "url(" not in html.split("</style>")[0]
    assert "default-src 'none'" in html


def test_headings_are_in_order_and_tables_have_captions(html: str) -> None:
    levels = [int(tag[1]) for tag, _ in tags(html) if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    names = [tag for tag, _ in tags(html)]
    assert names.count("caption") == names.count("table") > 8
    assert all("aria-label" in a or a.get("aria-hidden") == "true" for tag, a in tags(html) if tag == "svg")


def test_the_page_says_what_a_reader_must_know(html: str) -> None:
    words = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html))
    for told in (
        "answers best",
        "say nothing about large models",
        "900 of 900",
        "uninformative",
        "too few samples",
        "takes 368",
    ):
        assert told in words


def test_a_partial_run_says_so_first_and_ranks_nothing(tmp_path: Path) -> None:
    page = write_report(write_example(tmp_path, missing=12)).read_text(encoding="utf-8")
    assert "<h1>A partial run, 900 of 912 answers: nothing is claimed of it" in page
    assert "The run is not complete: 900 of 912" in page
    assert "answers best" not in page


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    run = write_example(tmp_path / "run")
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first
    assert not list(run.glob("*.part"))


def test_no_difference_gives_no_best(tmp_path: Path) -> None:
    page = write_report(write_example(tmp_path, equal=True)).read_text(encoding="utf-8")
    assert "No difference in accuracy was shown" in page
    assert '<span class="best">best</span> <strong' not in page


def test_a_summary_alone_makes_a_page(tmp_path: Path) -> None:
    made = summary({"prompt": 0.3, "rag": 0.5, "mine": 0.4}, set())
    (tmp_path / "summary.json").write_text(json.dumps(made), encoding="utf-8")
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "not run" in page
    assert not any(f'id="{section}"' in page for section in ("samples", "variants", "failures"))


def test_systems_outside_the_grid_have_a_page_without_it(tmp_path: Path) -> None:
    made = summary({"rag": 0.5, "mine": 0.8}, pairs("rag-mine"))
    made["variants"] = {"mine": {"of": "rag", "differs_in": ["top_k"], "alike": share(0.6), "tasks": {}}}
    page = render(RunFiles(directory=tmp_path, summary=made))
    assert 'id="grid"' not in page
    assert "#grid" not in page
    assert "mine answers best" in page
    assert 'id="variants"' in page


def test_only_a_system_above_all_others_is_marked_best() -> None:
    made = summary({"prompt": 0.4, "rag": 0.7, "hybrid": 0.72}, pairs("prompt-hybrid", "prompt-rag"))
    measured = {name: entry["measures"] for name, entry in made["systems"].items()}
    assert [c.best for c in groups(measured, made["comparisons"])[0].rows[0].cells] == [False, False, False]
    made = summary({"prompt": 0.4, "rag": 0.6, "hybrid": 0.72}, pairs("prompt-hybrid", "rag-hybrid"))
    assert [c.best for c in groups(measured, made["comparisons"])[0].rows[0].cells] == [False, False, True]


def test_a_number_that_is_missing_says_why() -> None:
    few = cell("rag", share(None, reason="12 samples, p99 takes 368", unit="s"))
    assert (few.value, few.reason) == ("too few samples", "12 samples, p99 takes 368")
    assert cell("rag", share(None, reason="the engine hides it")).value == "not measured"
    assert cell("rag", None).value == "–"
    assert cell("rag", share(None, n=0, reason="applies to none")).reason == ""


def test_a_measure_that_applies_to_nothing_has_no_row() -> None:
    measured = {"rag": {"accuracy": share(0.5), "mrr": share(None, n=0)}, "prompt": {"mrr": share(None, n=0)}}
    assert [row.name for group in groups(measured, []) for row in group.rows] == ["accuracy"]


def test_modes_are_kept_apart_and_the_first_is_quoted() -> None:
    taken = [share(0.2, mode="cold", unit="s"), share(0.1, mode="warm", unit="s")]
    measured = {"rag": {"latency_e2e_p50": taken}, "prompt": {"latency_e2e_p50": taken[1]}}
    found = by_mode(measured, ["latency_e2e_p50"])
    assert [group.mode for group in found] == ["cold", "warm"]
    assert [c.value for c in found[0].rows[0].cells] == ["200\u00a0ms", "–"]
    first = quoted(measured["rag"], "latency_e2e_p50")
    assert first is not None
    assert first["mode"] == "cold"


def test_measures_stand_in_reading_order() -> None:
    names = ["goodput", "ttft_p50", "latency_e2e_p99", "latency_e2e_p50", "mine", "hallucination_rate", "accuracy"]
    assert ordered(names) == [
        "accuracy", "hallucination_rate", "latency_e2e_p50", "latency_e2e_p99", "ttft_p50", "goodput", "mine",
    ]  # fmt: skip


def test_stage_means_are_taken_over_answered_calls() -> None:
    key = {"system": "rag", "task": "t", "sample": "s"}
    made = summary({"rag": 0.5}, set())
    timed = [{**key, "timings": {"search": 0.2, "decode": 0.1}}, {**key, "timings": {"decode": 0.3}}]
    table = stage_table(made, [*timed, {**key, "timings": {"decode": 9.0}, "error": "lost"}])
    assert table is not None
    assert {name: round(s, 9) for name, s in table.systems[0].seconds.items()} == {"search": 0.1, "decode": 0.2}
    assert round(table.systems[0].percent("decode"), 6) == round(100 * 2 / 3, 6)
    made["systems"]["rag"]["measures"]["stage_decode_p50"] = share(0.7, unit="s")
    loaded = stage_table(made, timed)
    assert loaded is not None
    assert loaded.systems[0].seconds == {"decode": 0.7}


def test_the_example_follows_the_schema(tmp_path: Path) -> None:
    assert read_run(write_example(tmp_path)).summary["systems"]
