from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.reporting import svg
from bench.reporting.effects import effect_rows
from bench.reporting.failures import cause_table
from bench.reporting.figures import grid_svg, interaction_svg, png, scatter_svg
from tests.reporting.example_run import write_example
from tests.reporting.summaries import share, summary


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return json.loads((write_example(tmp_path_factory.mktemp("run")) / "summary.json").read_text(encoding="utf-8"))


def test_figures_are_well_formed_and_say_their_numbers_in_words(example: dict[str, Any]) -> None:
    for drawn in (grid_svg(example), interaction_svg(example), scatter_svg(example)):
        assert drawn is not None
        label = ElementTree.fromstring(drawn).attrib["aria-label"]
        assert all(system in label for system in ("prompt", "rag", "finetuned", "hybrid"))
        assert "%" in label


def test_a_system_that_was_not_run_leaves_its_cell_and_the_interaction_empty() -> None:
    made = summary({"prompt": 0.3, "rag": 0.6}, set())
    assert grid_svg(made).count(">not run<") == 2
    assert interaction_svg(made) is None
    assert scatter_svg(made) is None


def test_a_name_is_never_markup() -> None:
    made = summary({"<b>&": 0.3}, set())
    made["systems"]["<b>&"]["measures"]["latency_e2e_p50"] = share(0.2, unit="s")
    drawn = scatter_svg(made)
    assert drawn is not None
    assert [node.text for node in ElementTree.fromstring(drawn).iter() if node.text and "<b>&" in node.text]


def test_better_is_higher_and_slower_is_further_right(example: dict[str, Any]) -> None:
    drawn = scatter_svg(example)
    assert drawn is not None
    dots = [n for n in ElementTree.fromstring(drawn).iter() if n.tag.endswith("circle") and n.attrib["r"] == "3.2"]
    x, y = ([float(dot.attrib[key]) for dot in dots] for key in ("cx", "cy"))
    assert x[0] < x[2] < x[1] < x[3]
    assert y[0] > y[2] > y[1] > y[3]


def test_ticks_are_round_and_cover_the_range() -> None:
    assert svg.ticks(0.27) == [0.0, 0.1, 0.2, 0.3]
    assert svg.ticks(9) == [0, 2, 4, 6, 8, 10]
    assert svg.ticks(0) == [0.0, 1.0]


def test_labels_are_moved_apart() -> None:
    assert svg.apart([10.0, 14.0], 16) == [4.0, 20.0]
    assert svg.apart([90.0, 10.0], 16) == [90.0, 10.0]


def test_colours_of_the_four_systems_do_not_depend_on_the_run() -> None:
    assert svg.slot("hybrid", ["mine", "hybrid"]) == svg.slot("hybrid", ["hybrid"]) == 3
    assert svg.slot("mine", ["mine", "hybrid"]) == 4


def test_effects_are_signed_and_say_why_they_are_missing() -> None:
    made = summary({"rag": 0.5}, set())
    made["effects"] = {
        "accuracy": {
            "retrieval": share(0.37),
            "tuning": share(-0.1) | {"low": -0.2, "high": 0.01},
            "interaction": share(None, reason="separate adapters"),
        }
    }
    (row,) = effect_rows(made)
    assert [e.difference.replace("\u00a0", " ") for e in row.effects] == ["+37 points", "−10 points", "not computed"]
    assert [e.interval for e in row.effects] == ["+32 to +42", "−20 to +1.0", ""]
    assert row.effects[2].reason == "separate adapters"


def test_causes_are_summed_over_tasks_in_the_order_of_the_way() -> None:
    table = cause_table(
        {"rag": {"a": {"refused": 1, "not retrieved": 2}, "b": {"refused": 4, "mine": 1}}}, ["prompt", "rag"]
    )
    assert table is not None
    assert table.names == ("not retrieved", "refused", "mine")
    assert dict(table.systems[0].counts) == {"not retrieved": 2, "refused": 5, "mine": 1}
    assert table.most == 8
    assert cause_table({}, ["rag"]) is None


def test_the_png_is_one(example: dict[str, Any], tmp_path: Path) -> None:
    assert png(example, tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG\r\n")
