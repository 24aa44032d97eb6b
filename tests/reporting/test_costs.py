"""The account on the page and on the terminal."""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.reporting.costs import break_even_words, cost_table, cost_words
from bench.reporting.surface_figure import surface_svg


def account(*pairs: dict[str, Any], volume: float | None = None) -> dict[str, Any]:
    return {
        "price": {"name": "m", "kind": "machine", "per_hour": 3.6, "currency": "USD", "cores": None}
        | {"source": "made up", "date": "2025-01-31"},
        "settings": {"volume": volume, "updates_per_month": None, "months": 1}
        | {key: {} for key in ("curation", "build", "operation", "parts")},
        "systems": {"rag": {}, "finetuned": {}, "<b>": {}},
        "break_even": [],
        "surface": {"volumes": [100.0, 10_000.0], "updates_per_month": [0.0, 1.0], "pairs": list(pairs)},
    }


RAG = {"a": "rag", "b": "finetuned"}


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (
            {"verdict": "break_even", "cheaper": "finetuned", "volume": 4750.4, "low": 3000.0, "high": 9000.0},
            "finetuned is cheaper than rag above 4,750 calls a month (3,000 to 9,000)",
        ),
        (
            {"verdict": "break_even", "cheaper": "rag", "volume": 12.345, "low": 3.0, "high": None},
            "rag is cheaper than finetuned above 12.3 calls a month (3 to no volume being certain)",
        ),
        (
            {"verdict": "break_even", "cheaper": "rag", "volume": 4.0, "low": None, "high": None},
            "rag is cheaper than finetuned above 4 calls a month",
        ),
        (
            {"verdict": "break_even", "cheaper": "rag", "volume": 4.0, "low": None, "high": None}
            | {"no_interval": "one search: no interval"},
            "rag is cheaper than finetuned above 4 calls a month (one search: no interval)",
        ),
        (
            {"verdict": "dominated", "cheaper": "rag", "low": None, "no_interval": "one search: no interval"},
            "rag is cheaper than finetuned at any volume (one search: no interval)",
        ),
        ({"verdict": "dominated", "cheaper": "rag", "low": None}, "rag is cheaper than finetuned at any volume"),
        (
            {"verdict": "dominated", "cheaper": "rag", "low": 500.0},
            "rag is cheaper than finetuned at any volume; the intervals leave it open that finetuned is, "
            "from 500 calls a month on",
        ),
        ({"verdict": "same", "cheaper": None}, "rag and finetuned cost the same at any volume"),
        ({"verdict": "unknown", "reason": "rag: no load"}, "rag and finetuned: not known (rag: no load)"),
    ],
)
def test_pairs_in_words(pair: dict[str, Any], said: str) -> None:
    assert break_even_words(RAG | pair) == said


def test_what_the_account_rests_on_in_words() -> None:
    assert cost_words(account(volume=2000)) == (
        "Prices: m, 3.6 USD an hour (made up; 2025-01-31). Declared: 2,000 calls a month. "
        "What is spent once is spread over 1 month."
    )
    assert "No volume, updates or costs of your own were declared." in cost_words(account())


def test_the_surface_splits_each_row_where_the_costs_are_the_same() -> None:
    """No update: 5,050 calls, half of the range; one update: rag at all volumes."""
    drawn = surface_svg(account({**RAG, "difference": [[-1.0, 1.0], [-3.0, -1.0]]}, volume=1000))
    assert drawn is not None
    rows = [{key: float(node.attrib[key]) for key in ("x", "y", "width")} for node in elements(drawn, "rect")]
    low, above, top = rows
    share = math.log(5050 / 100) / math.log(100)
    assert low["width"] / top["width"] == pytest.approx(share, abs=0.001)
    assert low["y"] == above["y"] > top["y"]
    [dot] = [node for node in elements(drawn, "circle") if "--paper" in node.attrib["style"]]
    assert float(dot.attrib["cx"]) == pytest.approx(top["x"] + top["width"] / 2, abs=0.1)


def test_pairs_that_depend_on_something_come_first_and_names_are_never_markup() -> None:
    everywhere = {"a": "rag", "b": "<b>", "difference": [[-1.0, -2.0], [-3.0, -4.0]]}
    depends = {**RAG, "difference": [[-1.0, 1.0], [-3.0, -1.0]]}
    drawn = surface_svg(account(everywhere, depends))
    assert drawn is not None
    label = ElementTree.fromstring(drawn).attrib["aria-label"]
    assert label.endswith("rag or finetuned: it depends on volume and updates; rag or <b>: rag at all shown")
    assert surface_svg(account()) is None


def elements(drawn: str, name: str) -> list[ElementTree.Element]:
    return [node for node in ElementTree.fromstring(drawn).iter() if node.tag.endswith(name)]


def test_the_table_says_why_a_number_is_missing() -> None:
    missing = {"estimate": None, "low": None, "high": None, "n": 0, "unit": "USD per training", "reason": "no record"}
    made = account() | {"systems": {"finetuned": {"training": missing}}}
    assert "Without a number: one training: no record" in cost_table(made)
