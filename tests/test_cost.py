"""``bench cost``: recomputed from a run's files alone, and every mistake in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.calling import call
from tests.costs.runs import manifest, write


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write(tmp_path / "run")


def account(run: Path) -> Any:
    return json.loads((run / "cost.json").read_text())


def test_the_account_is_printed_written_and_shown(run: Path) -> None:
    done = call("cost", str(run), "volume=1000", "updates_per_month=4", "curation.finetuned=24", "months=12")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == str(run / "cost.json")
    assert "Declared: 1,000 calls a month, 4 updates a month, curation of finetuned." in " ".join(done.out.split())
    assert "finetuned is cheaper than rag above" in done.out
    found = account(run)
    assert found["systems"]["finetuned"]["fixed_per_month"]["estimate"] == pytest.approx(26 / 12 + 8)
    page = (run / "report.html").read_text()
    assert "Cost over a month" in page
    assert "The cheaper system by volume and updates" in page


def test_another_price_and_the_same_in_json(run: Path) -> None:
    done = call("cost", str(run), "price.per_hour=7.2", "--json")
    assert json.loads(done.out) == account(run)
    assert account(run)["systems"]["prompt"]["cost_per_call"][0]["estimate"] == pytest.approx(0.0005)
    assert account(run)["price"]["source"] == "a figure of your own"
    assert "The measures further up are at the run&#39;s own price" in (run / "report.html").read_text()
    told = " ".join(call("cost", str(run), "price=h100", "price.per_hour=5.2", "operation=10").out.split())
    assert "h100, 5.2 USD an hour (a figure of your own). Declared: operation of every system." in told
    assert call("cost", str(run), "price=l4").code == 0
    [refused] = account(run)["systems"]["prompt"]["cost_per_call"]
    assert refused["reason"] == "price=l4 is that of a machine with the GPU L4, but the engine ran on a CPU"
    assert call("cost", str(run), "price=gpt_4o_mini", "training=3", "indexing=1").code == 0
    cost = account(run)["systems"]["hybrid"]
    assert cost["cost_per_call"][0]["estimate"] == pytest.approx(1000 * 0.15e-6 + 100 * 0.6e-6)
    assert cost["refresh_per_update"]["estimate"] == 4


def test_nothing_but_the_account_and_the_page_is_written(run: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    assert call("cost", str(run)).code == 0
    after = {path.name: path.read_bytes() for path in run.iterdir()}
    assert after.keys() - before.keys() == {"cost.json", "report.html"}
    assert {name: after[name] for name in before} == before


MISTAKES = {
    "volume=0": "volume=0: must be a number above 0",
    "volume=-3": "volume=-3: must be a number above 0",
    "volume=nan": "volume=nan: must be a number above 0",
    "volume=many": "volume=many: must be a number or null",
    "volme=3": "volme: no such key; did you mean volume?",
    "updates_per_month=-1": "updates_per_month=-1: must be a number of 0 or more",
    "months=0": "months=0: must be a number above 0",
    "attempts=0": "attempts=0: must be a whole number of 1 or more",
    "attempts=1.5": "attempts=1.5: must be a whole number",
    "utilisation=2": "utilisation=2: must be above 0 and at most 1",
    "utilisation=0": "utilisation=0: must be above 0 and at most 1",
    "utilisation=[]": "utilisation=[]: must be one share of the time or several",
    "training=-1": "training=-1: must be a number of 0 or more",
    "curation=much": "curation=much: must be a mapping or a number",
    "curation.rag=-1": "curation.rag=-1: must be a number of 0 or more",
    "curation.rga=1": "curation.rga: the run has no such system; it has: prompt, rag, finetuned, hybrid",
    "curation={rga: 1}": "curation.rga: the run has no such system; it has: prompt, rag, finetuned, hybrid",
    "price=gold": "price=gold: no such option; there are: a100, ",
    "price=api": "price.date: has to be given, as price.date=VALUE",
    "price.per_hour=-1": "price.per_hour=-1: must be a number of 0 or more",
    "price.per_hour=null": "price.per_hour is missing: a price of kind machine needs it",
    "price.per_hour=nan": "price.per_hour=nan: must be a number of 0 or more",
    "price.per_hour=cheap": "price.per_hour=cheap: must be a number of 0 or more",
    "price.currency=3": "price.currency=3: must be an ISO 4217 code such as USD",
    "price.date=20250131": "price.date=20250131: must be an ISO date such as 2025-01-31",
    "price.perhour=3": "price.perhour: no such key; did you mean price.per_hour?",
    "seed=1": "seed: no such key",
    "--yaml": "--yaml: no such flag here; there are --json and --traceback",
}


@pytest.mark.parametrize(("argument", "said"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_writes_nothing(argument: str, said: str, run: Path) -> None:
    assert call("cost", str(run), argument).one_line(2).startswith(f"bench cost: {said}")
    assert not (run / "cost.json").exists()


def test_a_place_that_is_no_run(tmp_path: Path, run: Path) -> None:
    assert call("cost").one_line(2) == "bench cost: give one run directory, as results/runs/NAME"
    assert call("cost", str(tmp_path)).one_line(2).endswith("is no run directory (manifest.json is missing)")
    (run / "summary.json").unlink()
    assert call("cost", str(run)).one_line(2).endswith("missing; `bench report` writes it once the run is scored")


def test_a_broken_account_is_named(run: Path) -> None:
    (run / "cost.json").write_text('{"settings": {}}')
    assert call("cost", str(run)).code == 0  # it is written anew
    (run / "cost.json").write_text("{")
    assert call("cost", str(run)).code == 0


def test_a_config_of_an_older_run_still_names_its_price(tmp_path: Path) -> None:
    config = manifest()["config"]
    config["price"] = {**config["price"], "_target_": "bench.cost.Price"}
    old = write(tmp_path / "old", config=config)
    assert call("cost", str(old)).code == 0
    assert account(old)["price"]["name"] == "mine"
