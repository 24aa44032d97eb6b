"""The account of a run, by hand: calls, builds, upkeep, pairs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import validate

from bench.costs.account import account
from bench.costs.builds import indexing_cost, needs, training_cost
from bench.costs.price import Price
from bench.costs.settings import Settings
from bench.reporting.costs import break_even_words, cost_groups
from bench.reporting.run_files import COST_SCHEMA
from tests.costs.runs import PRICE, manifest, summary

MINE = Price(**{key: value for key, value in PRICE.items() if key != "_target_"})  # type: ignore[arg-type]
API = Price(name="a", kind="api", per_million_in=2.0, per_million_out=10.0, source="made up", date="2025-01-31")
GPU = Price(name="g", kind="machine", device="gpu", gpu="L4", per_hour=7.2, source="made up", date="2025-01-31")


def made(price: Price = MINE, given: Any = None, **own: Any) -> dict[str, Any]:
    found = account(summary(), given or manifest(), price, Settings(**own))
    validate(found, json.loads(COST_SCHEMA.read_text()))
    return found


def value(found: dict[str, Any], system: str, name: str) -> Any:
    entry = found["systems"][system][name]
    return entry[0]["estimate"] if isinstance(entry, list) else entry["estimate"]


def pair(found: dict[str, Any], a: str, b: str) -> dict[str, Any]:
    return next(one for one in found["break_even"] if (one["a"], one["b"]) == (a, b))


def test_every_system_by_hand() -> None:
    found = made()
    columns = ("cost_per_call", "cost_per_accepted_answer", "retries_per_call", "refresh_per_update", "fixed_per_month")
    rows = {system: [value(found, system, name) for name in columns] for system in found["systems"]}
    retried = 0.2 + 0.2**2
    assert rows == {
        "prompt": pytest.approx([0.00025, 0.0005, 0.00025 * retried, 0, 0]),
        "rag": pytest.approx([0.0005, 0.001, 0.0005 * retried, 0.1, 0.1]),
        "finetuned": pytest.approx([0.0001, 0.0002, 0.0001 * retried, 2, 2]),
        "hybrid": pytest.approx([0.0002, 0.0004, 0.0002 * retried, 2.1, 2.1]),
    }
    call = found["systems"]["prompt"]["cost_per_call"]
    assert [one["mode"] for one in call] == [f"mine {used} % used; throughput: closed loop" for used in (100, 30)]
    assert (call[0]["low"], call[0]["high"]) == pytest.approx((0.0002, 0.0003125))
    assert {system: one["needs"] for system, one in found["systems"].items()} == {
        "prompt": [],
        "rag": ["indexing"],
        "finetuned": ["training"],
        "hybrid": ["indexing", "training"],
    }


def test_fixed_costs_are_spread_over_a_declared_volume_alone() -> None:
    """Once 1,200 + 2 over 12 months, 4 updates of 2 and 5 of operation a month, over 1,000 calls."""
    own: dict[str, Any] = {"curation": {"finetuned": 1200}, "operation": {"finetuned": 5}, "months": 12}
    fixed = 1202 / 12 + 4 * 2 + 5
    found = made(updates_per_month=4, **own)
    assert value(found, "finetuned", "fixed_per_month") == pytest.approx(fixed)
    assert len(found["systems"]["finetuned"]["cost_per_call"]) == 2
    calls = made(updates_per_month=4, volume=1000, **own)["systems"]["finetuned"]["cost_per_call"]
    assert [one["estimate"] for one in calls] == pytest.approx(
        [0.0001, 0.0001 / 0.3, 0.0001 + fixed / 1000, 0.0001 / 0.3 + fixed / 1000]
    )
    assert calls[2]["mode"] == "with fixed costs over 1,000 calls a month; mine 100 % used; throughput: closed loop"
    parts = made(parts={"rag": 0.001}, utilisation=0.5)
    assert value(parts, "rag", "cost_per_call") == pytest.approx(0.002)
    assert value(parts, "prompt", "cost_per_call") == pytest.approx(0.0005)


def test_pairs_by_hand() -> None:
    """rag: 0.1 and 0.0005 a call; finetuned: 2 and 0.0001. Six updates: 0.7 and 14."""
    once = pair(made(), "rag", "finetuned")
    assert (once["verdict"], once["cheaper"], once["volume"]) == ("break_even", "finetuned", pytest.approx(1.9 / 4e-4))
    assert once["low"] < once["volume"] < once["high"]
    often = pair(made(updates_per_month=6), "rag", "finetuned")
    assert often["volume"] == pytest.approx(13.3 / 4e-4)
    dominated = pair(made(), "prompt", "rag")
    assert (dominated["verdict"], dominated["cheaper"]) == ("dominated", "prompt")


def test_what_rests_on_an_invalid_load_is_marked() -> None:
    late = summary()
    late["systems"]["rag"]["measures"]["throughput"]["mode"] = "closed loop; INVALID: sent 30 ms late at p99"
    found = account(late, manifest(), MINE, Settings())
    validate(found, json.loads(COST_SCHEMA.read_text()))
    assert pair(found, "rag", "finetuned")["invalid"] == ["rag"]
    assert pair(found, "prompt", "hybrid")["invalid"] == []
    assert break_even_words(pair(found, "rag", "finetuned")).endswith("; INVALID: the load of rag")
    assert not any("rag" in (one["a"], one["b"]) for one in found["surface"]["pairs"])
    assert {row.name: [cell.value for cell in row.cells][1] for row in cost_groups(found)[-3].rows} == {
        "cost_per_call": "$0.50\u00a0INVALID",
        "cost_per_accepted_answer": "$1.00\u00a0INVALID",
    }


def test_the_surface_changes_its_sign_at_the_break_even_volume() -> None:
    volume = 1.9 / 4e-4
    found = made(volume=volume, updates_per_month=0)["surface"]
    surface = next(one for one in found["pairs"] if (one["a"], one["b"]) == ("rag", "finetuned"))["difference"]
    assert surface[0][found["volumes"].index(volume)] == pytest.approx(0, abs=1e-9)
    assert surface[0][0] < 0 < surface[0][-1]


def test_a_price_by_tokens_says_nothing_of_machines() -> None:
    found = made(API)
    assert value(found, "rag", "cost_per_call") == pytest.approx(0.003)
    assert found["systems"]["rag"]["indexing"]["reason"] == (
        "price=a is by tokens, and says nothing of machines: put in your own, indexing=AMOUNT"
    )
    assert pair(found, "prompt", "rag") == {
        "a": "prompt",
        "b": "rag",
        "verdict": "unknown",
        "reason": "rag: what one indexing costs is not known",
    }
    given = made(API, indexing=0.5, training=3)
    assert value(given, "hybrid", "refresh_per_update") == 3.5
    assert pair(given, "prompt", "rag")["verdict"] == "dominated"


def test_what_was_not_measured_says_what_to_do() -> None:
    bare = summary()
    for entry in bare["systems"].values():
        entry["measures"] = {}
    [call] = account(bare, manifest(), MINE, Settings())["systems"]["prompt"]["cost_per_call"]
    assert (call["estimate"], call["reason"]) == (
        None,
        "no load was measured in this run: run it again with one, as load=small",
    )
    [call] = account(bare, {}, Price(name="none", kind="none"), Settings())["systems"]["prompt"]["cost_per_call"]
    assert call["reason"] == "no price was chosen: say price=NAME, as price=cpu"
    assert made(given={**manifest(), "build": None})["systems"]["rag"]["indexing"]["estimate"] is None


def test_what_rests_on_a_doubted_detector_is_marked() -> None:
    doubted = summary()
    doubted["systems"]["rag"]["measures"]["accepted"]["secondary"] = True
    found = account(doubted, manifest(), MINE, Settings())["systems"]
    assert all(one["secondary"] for one in found["rag"]["cost_per_accepted_answer"])
    assert not any("secondary" in one for one in found["prompt"]["cost_per_accepted_answer"])


INDEX = manifest()["build"]["index"]
ADAPTER = manifest()["build"]["adapters"]["hybrid"]
L4 = {"cores": 4, "gpus": ["NVIDIA L4, 23034 MiB"]}


def test_a_build_is_priced_as_the_machine_it_ran_on() -> None:
    assert training_cost(MINE, ADAPTER).estimate == pytest.approx(2)
    wide = {**ADAPTER, "made": {"hardware": {"cores": 8, "gpus": []}}}
    assert training_cost(MINE, wide).estimate == pytest.approx(8)
    tuned = {**ADAPTER, "device": "cuda", "made": {"hardware": L4}}
    assert training_cost(GPU, tuned).estimate == pytest.approx(4)
    # An index that the CPUs of a GPU's machine built: that machine had to be paid for.
    embedded = {**INDEX, "made": {**INDEX["made"], "hardware": L4}}
    assert indexing_cost(GPU, embedded).estimate == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("cost", "price", "record", "reason"),
    [
        (training_cost, GPU, ADAPTER, "price=g is that of a machine with the GPU L4, but the training ran on a CPU"),
        (training_cost, MINE, {**ADAPTER, "device": "cuda"}, "is that of a CPU machine, but the training ran on a GPU"),
        (training_cost, MINE, None, "the run has no record of a training"),
        (indexing_cost, GPU, INDEX, "price=g is that of a machine with the GPU L4, but the indexing ran on a CPU"),
        (indexing_cost, MINE, {**INDEX, "made": {}}, "the index was there, and nothing says what building it took"),
        (indexing_cost, MINE, {**INDEX, "made": {**INDEX["made"], "cached": 3}}, "3 of 50 chunks were embedded before"),
        (indexing_cost, MINE, {**INDEX, "made": {**INDEX["made"], "kept": 49}}, "49 of 50 chunks were indexed before"),
        (indexing_cost, MINE, {**INDEX, "engine": "qdrant-server"}, "on a server whose machine is not known"),
        (indexing_cost, MINE, {}, "the run has no record of an indexing"),
    ],
)
def test_a_build_that_cannot_be_priced_says_why(cost: Any, price: Price, record: Any, reason: str) -> None:
    found = cost(price, record)
    assert found.estimate is None
    assert reason in str(found.reason)
    assert str(found.reason).endswith("=AMOUNT")


def test_what_a_system_has_to_have_built() -> None:
    assert needs({"adapter": None, "prompt": {}}) == ()
    assert needs({"adapter": {"rank": 8}, "retriever": {}}) == ("indexing", "training")
