"""The load stage: its plan, its journal, what is worked out from it, and a run cut short."""

from __future__ import annotations

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from peft import LoraConfig, get_peft_model

from bench.assembly import Assembly
from bench.config import compose
from bench.generate import repeated
from bench.journal import Journal, read
from bench.load import Loading
from bench.loading.deployments import Deployment, deployments
from bench.loading.measured import Line, Whole, end, request
from bench.loading.measures import blocks_spread, load_measures
from bench.loading.plan import Load
from bench.loading.records import Cell, Request
from bench.loading.service import RateSearch, ServiceLevel
from bench.records import Estimate, Sample
from bench.reporting.facts import notes
from bench.reporting.run_files import check_summary
from bench.shares import share
from systems.base import Message, Prepared, Query, Sampling, UserError
from systems.base import Request as Call
from systems.engines.stub import StubEngine
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from tests.calling import call, small
from tests.tiny import network, write_model

OPEN = "open loop, Poisson, 8 per s, prefix cache cold, adapter per request"


def row(number: int, e2e: float, error: str | None = None, **more: Any) -> Request:
    timings = {"decode": e2e / 2, "ttft": e2e / 2, "search": 0.01, "send": 0.001, "unaccounted": 0.0}
    known: dict[str, Any] = {"tokens_out": 6, "lag": 0.001, "measured": True, "scheduled": number / 8}
    return Request(
        number=number, task="t", sample=str(number), e2e=e2e, timings={} if error else timings, error=error,
        **{**known, **more},
    )  # fmt: skip


def journal(cells: dict[Cell, list[Request]], emptied: bool = True) -> list[Line]:
    found: list[Line] = []
    for cell, records in cells.items():
        begun = Whole(found).begin(cell)
        found += [begun, *(request(begun, record) for record in records)]
        found.append(end(begun, emptied=emptied, machine={}))
    return found


def measures(records: list[Request], load: Load | None = None, emptied: bool = True, **cell: Any) -> dict[str, Any]:
    """First estimates by name, of one cell at 8 requests/s unless it is told otherwise."""
    load = load or Load()
    made = load.cell("rag", "cold", "request", 0, **(cell or {"rate": 8}))
    found = load_measures(Whole(journal({made: records}, emptied)), load)["rag"]
    return {name: estimates[0] for name, estimates in found.items()}


def test_failed_calls_are_slower_than_every_answer() -> None:
    good = [row(number, 0.1 + number * 7 % 40 / 1000) for number in range(40)]
    failed = [row(40 + number, 0.0, "429") for number in range(8)] + [
        row(48 + number, 60.0, "TimeoutError", timed_out=True) for number in range(2)
    ]
    alone, mixed = measures(good), measures(good + failed)
    assert alone["latency_e2e_p50"].estimate == pytest.approx(0.119)
    # The 25th of 50 calls, the failed ones being the slowest.
    assert mixed["latency_e2e_p50"].estimate == pytest.approx(0.124)
    assert mixed["ttft_p50"].estimate == pytest.approx(0.124 / 2)
    assert mixed["stage_search_p50"].estimate == pytest.approx(0.01)
    # (E2E - TTFT) / (n - 1)
    assert alone["tpot_p50"].estimate == pytest.approx(0.119 / 2 / 5)
    assert (mixed["error_rate"].estimate, mixed["timeout_rate"].estimate) == (8 / 50, 2 / 50)
    assert alone["latency_e2e_p99"].estimate is None
    # 40 answers between the first arrival and the last answer, 39/8 s and 0.1 + 0.033 s later.
    assert alone["throughput"].estimate == pytest.approx(40 / (39 / 8 + 0.1 + 39 * 7 % 40 / 1000))
    assert alone["tokens_per_second"].estimate == pytest.approx(6 * alone["throughput"].estimate)


def test_requests_in_one_queue_do_not_count_as_independent() -> None:
    # Two stretches of the run, one slow: 40 latencies that tell little more than two would.
    slow_then_fast = measures([row(number, 0.9 if number < 20 else 0.1) for number in range(40)])
    assert slow_then_fast["latency_e2e_p50"].estimate is None
    assert "40 samples in 8 blocks are too few" in slow_then_fast["latency_e2e_p50"].reason
    in_turn = measures([row(number, 0.9 if number % 2 else 0.1) for number in range(40)])
    assert in_turn["latency_e2e_p50"].estimate is not None
    assert "blocks" in in_turn["latency_e2e_p50"].method


def test_an_outage_counts_as_one_block() -> None:
    # 20 answers, 20 failures one after the other, 20 answers: 4 + 1 + 4 blocks, not 8 and 20 of their own.
    outage = [row(number, 0.1, "500" if 20 <= number < 40 else None) for number in range(60)]
    found = measures(outage)
    answered = [block for block in (0, 1, 2, 3, 5, 6, 7, 8) for _ in range(5)]
    blocks = sorted([*answered, *([4] * 20)])
    by_hand = share([record.error is not None for record in outage], blocks)
    assert (found["error_rate"].low, found["error_rate"].high) == (by_hand.low, by_hand.high)
    # Of the 60, 40 are at or below the median .1. Residuals: 20 x 2/3 in the outage, 5 x 1/3 in each of the others;
    # their squares sum to 200, times 9/8 over 60 squared .0625; times 60/.25 a design effect of 15; Student's t for
    # the normal quantile (2.306/1.96) squared 1.384: 60/(15 x 1.384) = 2 requests, and a median needs 6.
    assert found["latency_e2e_p50"].reason == "60 samples in 9 blocks are too few for an interval of p50"
    # The same failures spread out: one in each three, in 12 blocks of five.
    spread = measures([row(number, 0.1, "500" if number % 3 == 0 else None) for number in range(60)])
    assert spread["latency_e2e_p50"].estimate == 0.1
    assert spread["error_rate"].high - spread["error_rate"].low < (by_hand.high or 0) - (by_hand.low or 0)


def test_an_outage_ends_with_its_block() -> None:
    # Failures 3 to 9 reach over the first stretch of five; the block holds the three answers before them too.
    placed = [row(number, 0.1, "500" if 3 <= number < 10 else None) for number in range(20)]
    rate = measures(placed)["error_rate"]
    by_hand = share([record.error is not None for record in placed], [0] * 10 + [1] * 5 + [2] * 5)
    assert (rate.low, rate.high) == (by_hand.low, by_hand.high)


def test_the_mode_says_how_it_was_and_what_was_wrong() -> None:
    def mode(records: list[Request], **more: Any) -> str:
        return str(measures(records, **more)["latency_e2e_p50"].mode)

    assert mode([row(0, 0.1)]) == OPEN
    assert mode([row(0, 0.1), row(0, 0.1)]) == f"{OPEN}, prompts repeated"
    assert "prefix cache of the server, not reset" in mode([row(0, 0.1)], emptied=False)
    late = [row(number, 0.1, lag=0.03) for number in range(10)]
    assert mode(late) == f"{OPEN}; INVALID: sent 30 ms late at p99, the client could not keep up"
    assert "INVALID" not in mode(late, load=Load(lag_seconds=0.04))
    assert mode([row(0, 0.1)], users=3).startswith("closed loop, 3 at once")


def test_every_mode_has_its_own_estimate_and_the_gentlest_is_quoted() -> None:
    load = Load()
    cells = {
        load.cell("rag", "cold", "merged", 0, rate=4): [row(0, 0.4)],
        load.cell("rag", "cold", "request", 0, users=2): [row(0, 0.3)],
        load.cell("rag", "warm", "request", 0, rate=4): [row(0, 0.2)],
        load.cell("rag", "cold", "request", 0, rate=8): [row(0, 0.1)],
    }
    found = load_measures(Whole(journal(cells)), load)["rag"]
    modes = [estimate.mode for estimate in found["latency_e2e_p50"]]
    assert modes[0] == OPEN
    assert ["closed" in (mode or "") for mode in modes] == [False, True, False, False]
    assert "merged" in (modes[-1] or "")
    # What an open loop gets through is what was asked of it: the closed loop's is quoted.
    assert (found["throughput"][0].mode or "").startswith("closed")


def test_a_closed_loops_throughput_is_that_of_its_full_places() -> None:
    # Two users, a second each, half a second apart: 2 answers a second while both ask. The first two warm up.
    records = [row(number, 1.0, scheduled=number / 2, measured=number >= 2) for number in range(10)]
    assert measures(records, users=2)["throughput"].estimate == pytest.approx(2.0)


def test_waves_of_a_closed_loop_do_not_change_its_throughput() -> None:
    """Eight users who ask all at once: a second each is 8 per second, wherever a window might cut their waves."""
    records = [row(number, 1.0, scheduled=number // 8, measured=number >= 8) for number in range(56)]
    assert measures(records, users=8)["throughput"].estimate == pytest.approx(8.0)
    # As many as ask in all: each asks once.
    records = [row(number, 1.0, scheduled=0.0, measured=number >= 8) for number in range(56)]
    assert measures(records, users=56)["throughput"].estimate == pytest.approx(56.0)


def test_what_fails_is_no_throughput_but_takes_its_time() -> None:
    # One user, each second call fails after half a second: 5 answers in 5 x 1 + 5 x 0.5 s.
    records = [row(n, 0.5 if n % 2 else 1.0, "500" if n % 2 else None, scheduled=float(n)) for n in range(10)]
    found = measures(records, users=1)
    assert found["throughput"].estimate == pytest.approx(5 / 7.5)
    assert found["tokens_per_second"].estimate == pytest.approx(6 * 5 / 7.5)


def test_gaps_between_tokens_are_pooled_and_clustered_by_request() -> None:
    records = [row(number, 0.5, gaps=(0.01, 0.02, 0.03)) for number in range(20)]
    found = measures(records)["itl_p50"]
    assert (found.estimate, found.n) == (0.02, 60)


def found_goodput(*capacities: float) -> Estimate:
    """Goodput of a system that can do so much, search by search."""
    load = Load(level=ServiceLevel(share=0.9, e2e_seconds=1.0), search=RateSearch(first=4, precision=1.5))
    cells = {}
    for search, capacity in enumerate(capacities):
        tried: dict[float, bool] = {}
        while (rate := load.search.next(tried)) is not None:
            tried[rate] = rate <= capacity
            cell = load.cell("rag", "cold", "request", search, rate=rate, search=True)
            cells[cell] = [row(number, 0.5 if tried[rate] else 2.0) for number in range(10)]
    (found,) = load_measures(Whole(journal(cells)), load)["rag"]["goodput"]
    return found


def test_goodput_is_the_highest_rate_that_kept_the_level() -> None:
    # 4, 8, 16 then the root of 8 x 16 = 11.3: kept by the second search alone. Two points are no interval.
    found = found_goodput(9.0, 13.0)
    assert (found.low, found.estimate, found.high) == (None, pytest.approx((8 * 128**0.5) ** 0.5), None)
    assert found.method == "2 searches: no interval"
    assert found.mode == "90 % within E2E 1 s, Poisson arrivals, prefix cache cold, adapter per request"
    once = found_goodput(9.0)
    assert (once.low, once.high, once.method) == (None, None, "one search: no interval")
    assert once.estimate == pytest.approx(8)


def test_goodputs_interval_is_students_over_three_searches() -> None:
    # Kept at 8, 8 and 11.3, broken at 11.3, 11.3 and 16: in steps of the root of 2, logarithms with a mean of 1/3 step
    # above the lowest, a deviation of 1/root 3, so 4.303/3 steps of half a width.
    found = found_goodput(9.0, 9.0, 13.0)
    step, half = 2**0.5, 4.302653 / 3
    assert found.estimate == pytest.approx(8 * step ** (1 / 3))
    assert found.low == pytest.approx(8 * step ** (1 / 3 - half))
    assert found.high == pytest.approx(8 * step * step ** (1 / 3 + half))
    assert found.method == "3 searches: Student's t, 95 %"
    # Searches that agree leave the bracket between what was kept and what was broken.
    agreed = found_goodput(9.0, 9.0, 9.0)
    assert (agreed.estimate, agreed.low, agreed.high) == pytest.approx((8, 8, 128**0.5))
    # One that never broke has no upper end, and one that kept nothing leaves no figure.
    open_above = found_goodput(9.0, 9.0, 1e9)
    assert open_above.high is None
    assert (open_above.method or "").endswith("kept at the highest rate of all, 1024 per s")
    none = found_goodput(9.0, 9.0, 0.0)
    assert (none.estimate, none.low) == (None, None)
    assert (none.reason or "").endswith("in 1 of 3 searches")


def test_repeats_of_a_closed_loop_have_students_interval() -> None:
    load = Load()

    def throughput(*seconds: float) -> Estimate:
        cells = {
            load.cell("rag", "cold", "request", block, users=1): [
                row(number, each, scheduled=number * each) for number in range(10)
            ]
            for block, each in enumerate(seconds)
        }
        return load_measures(Whole(journal(cells)), load)["rag"]["throughput"][0]

    two, three = throughput(0.5, 0.25), throughput(0.5, 0.25, 1.0)
    assert (two.estimate, two.low, two.method) == (pytest.approx(3), None, "2 blocks: no interval")
    # 2, 4 and 1 per s: 7/3, with a deviation of the root of 7/3.
    half = 4.302653 * (7 / 3) ** 0.5 / 3**0.5
    assert (three.estimate, three.low, three.high) == pytest.approx((7 / 3, 0.0, 7 / 3 + half))


def test_goodput_says_what_was_wrong_with_the_probes_that_decided_it() -> None:
    load = Load(level=ServiceLevel(share=0.9, e2e_seconds=1.0), search=RateSearch(first=4, precision=2))
    cells = {}
    for rate, seconds, lag in ((4.0, 0.5, 0.0), (8.0, 2.0, 0.05)):
        cells[load.cell("rag", "cold", "request", 0, rate=rate, search=True)] = [
            row(number, seconds, lag=lag) for number in range(10)
        ]
    (found,) = load_measures(Whole(journal(cells, emptied=False)), load)["rag"]["goodput"]
    assert found.estimate == pytest.approx(4)
    assert "prefix cache of the server, not reset" in (found.mode or "")
    assert (found.mode or "").endswith("INVALID: sent 50 ms late at p99, the client could not keep up")


def test_a_valid_goodput_is_quoted_before_an_invalid_one() -> None:
    load = Load(level=ServiceLevel(share=0.9, e2e_seconds=1.0), search=RateSearch(first=4, precision=2))
    cells = {}
    for cache in ("cold", "warm"):
        for rate, seconds in ((4.0, 0.5), (8.0, 2.0)):
            cells[load.cell("rag", cache, "request", 0, rate=rate, search=True)] = [
                row(number, seconds, lag=0.05 * (cache == "cold")) for number in range(10)
            ]
    found = load_measures(Whole(journal(cells)), load)["rag"]["goodput"]
    assert [one.invalid for one in found] == [False, True]


def test_one_block_that_was_sent_late_marks_the_whole_and_is_quoted_last() -> None:
    load = Load()
    blocks = {
        load.cell("rag", "cold", "request", block, rate=8): [row(n, 0.1, lag=0.03 * (block == 0)) for n in range(40)]
        for block in range(4)
    }
    other = {load.cell("rag", "warm", "request", 0, rate=8): [row(n, 0.1) for n in range(40)]}
    modes = [
        one.mode or "" for one in load_measures(Whole(journal({**blocks, **other})), load)["rag"]["latency_e2e_p50"]
    ]
    assert ["INVALID" in mode for mode in modes] == [False, True]


def test_processor_seconds_of_stages_are_of_all_that_were_asked_or_not_told() -> None:
    load = Load()
    records = [row(number, 0.1, measured=number > 0, cpu={"prompt": 0.002, "embed": None}) for number in range(4)]
    (block,) = blocks_spread(Whole(journal({load.cell("rag", "cold", "request", 0, rate=8): records})))
    assert (block["requests"], block["asked"]) == (3, 4)
    assert block["stage_cpu_seconds"] == {"embed": None, "prompt": pytest.approx(0.008)}


def test_systems_take_turns_from_block_to_block_with_the_same_arrivals() -> None:
    load = Load(rates=(4,), blocks=3, requests=20, warm_up=2)
    cells = list(load.cells(["a", "b", "c"], "request"))
    assert [cell.system for cell in cells] == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    first, other, later = cells[0], cells[1], cells[3]
    assert load.times(first).tolist() == load.times(other).tolist() != load.times(later).tolist()
    samples = [Sample(id=str(n), task="t", query=Query(text=str(n)), reference="x") for n in range(50)]
    assert load.choose(samples, first) == load.choose(samples, other) != load.choose(samples, later)
    assert len(load.choose(samples, first)) == len(load.times(first)) == 22
    assert Load(rates=(4,), seconds=10, warm_up=2).count(first) == 42


def playing(model_directory: Path, path: Path, load: Load, delay: float = 0.01) -> tuple[Loading, Journal]:
    model = write_model(model_directory)
    engine = StubEngine(model=model, delay_seconds=delay)
    systems = {
        name: Prompted(name=name, model=model, engine=engine, prompt=PromptBuilder(shots=0)) for name in ("a", "b")
    }
    samples = [Sample(id=str(n), task="t", query=Query(text=f"what is {n}"), reference="x") for n in range(30)]
    opened = Journal(path)
    deployment = Deployment(weights="request", engine=engine, systems=systems)
    return Loading(load, deployment, samples, Whole(opened.records), opened), opened


def test_a_load_cut_short_measures_only_what_is_not_whole(tmp_path: Path) -> None:
    load = Load(rates=(200,), users=(2,), requests=6, warm_up=1)
    path = tmp_path / "load.jsonl"
    loading, opened = playing(tmp_path / "m", path, load)
    asyncio.run(loading.run())
    opened.close()
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4 * (1 + 7 + 1)
    assert not loading.owed()

    path.write_bytes(b"".join(lines[: 9 + 9 + 5]))  # killed within the third cell
    again, opened = playing(tmp_path / "m", path, load)
    assert [cell.users for cell in again.owed()] == [2, 2]
    asyncio.run(again.run())
    opened.close()
    records = list(read(path))
    assert [record["kind"] for record in records].count("end") == 4
    found = load_measures(Whole(records), load)
    assert {name: [one.n for one in found[name]["latency_e2e_p50"]] for name in found} == {"a": [6, 6], "b": [6, 6]}


def test_the_search_for_goodput_ends_and_says_what_the_engine_can_do(tmp_path: Path) -> None:
    # Two at once, 0.05 s each: 40 requests per second and no more, though a burst of ten at any rate is within 0.5 s.
    load = Load(
        requests=10,
        warm_up=0,
        in_flight=2,
        level=ServiceLevel(share=0.9, e2e_seconds=0.5),
        search=RateSearch(first=20, most=320, precision=1.5),
    )
    loading, opened = playing(tmp_path / "m", tmp_path / "load.jsonl", load, delay=0.05)
    asyncio.run(loading.run())
    opened.close()
    (found,) = load_measures(Whole(read(tmp_path / "load.jsonl")), load)["a"]["goodput"]
    assert found.estimate is not None
    assert 10 <= found.estimate <= 60  # 40, but for the draw of the arrivals and the search's precision


def test_two_systems_of_one_kind_are_kept_apart(tiny_model: Path, tmp_path: Path) -> None:
    again = ("+system@systems.second=prompt", f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}")
    done = call("run", *small(tiny_model, *again))
    assert done.code == 0, done.err
    whole = Whole(read(tmp_path / "run" / "load.jsonl"))
    assert {cell.system for cell in whole.cells()} == {"prompt", "rag", "second"}
    systems = json.loads((tmp_path / "run" / "summary.json").read_text())["systems"]
    assert systems["second"]["measures"]["throughput"][0]["n"] == 8
    assert all("machine" in whole.ended(cell) for cell in whole.cells())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rates": (0,)}, "load.rates: 0: must be more than 0"),
        ({"rates": (float("inf"),)}, "load.rates: inf"),
        ({"users": (0,)}, "load.users: 0: must be 1 or more"),
        (
            {"users": (64,)},
            "load.users: 64: must be at most load.warm_up \\+ load.requests = 56, or some would never ask",
        ),
        ({"requests": 0}, "load.requests=0: must be 1 or more"),
        ({"blocks": 0}, "load.blocks=0"),
        ({"seconds": -1.0}, "load.seconds=-1.0: must be more than 0"),
        ({"warm_up": -1}, "load.warm_up=-1: must be 0 or more"),
        ({"caches": ("hot",)}, "load.caches=.*must be some of cold, warm"),
        ({"weights": ()}, "load.weights=.*must be some of request, merged, plain"),
        ({"timeout_seconds": 0}, "load.timeout_seconds=0"),
    ],
)
def test_a_load_that_cannot_be_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Load(**settings)


def test_weights_that_an_engine_cannot_serve_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    done = call("run", *small(tiny_model, "load.weights=[merged]", f"run_dir={tmp_path / 'r'}"))
    assert "load.weights: merged: engine=stub does not say how it serves adapters" in done.last_line(2)


def test_a_load_that_asks_nothing_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    for nobody in (["load=none"], ["load.rates=[]", "load.users=[]"]):
        settings = [one for one in small(tiny_model, f"run_dir={tmp_path / 'r'}") if not one.startswith("load.")]
        done = call("load", *settings, *nobody)
        assert done.one_line(2) == "bench load: load: nobody asks; say load.rates=[4] or load.users=[2]"
    assert not (tmp_path / "r").exists()


def test_a_load_alone_writes_a_report_of_what_it_measured(tiny_model: Path, tmp_path: Path) -> None:
    done = call("load", *small(tiny_model, f"run_dir={tmp_path / 'run'}"))
    assert done.code == 0, done.err
    assert done.path == tmp_path / "run"
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    check_summary(summary)
    assert summary["completed"] == 0
    for system in ("prompt", "rag"):
        measures = summary["systems"][system]["measures"]
        assert [one["n"] for one in measures["latency_e2e_p50"]] == [8, 8]
        assert "accuracy" not in measures
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    assert summary["run"]["engine"] == "stub"
    told = " ".join(done.out.split())
    assert "open loop, Poisson, 50 per s" in told
    assert "end to end, p50" in told
    assert "No model answered in this run" in told
    assert [note.text for note in notes(summary) if "not complete" in note.text] == []


def test_an_engine_that_dies_under_load_costs_the_load_and_not_the_run(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dead(stream: Any) -> bool:
        raise RuntimeError("EngineCore encountered an issue")

    monkeypatch.setattr("systems.engines.stub._StubStream.reset_prefix_cache", dead)
    done = call("run", *small(tiny_model, f"run_dir={tmp_path / 'run'}"))
    assert done.code == 0, done.err
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["completed"] == summary["planned"]
    (finding,) = [one for one in summary["run"]["findings"] if one["text"].startswith("load, ")]
    assert finding["level"] == "warning"
    assert "the engine is gone (RuntimeError)" in finding["text"]
    assert call("load", *small(tiny_model, f"run_dir={tmp_path / 'again'}")).code == 1


def test_every_way_to_serve_the_weights_is_an_engine_of_its_own(tmp_path: Path) -> None:
    write_model(tmp_path / "model", weights=True)
    tuned = get_peft_model(
        copy.deepcopy(network()), LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    tuned.save_pretrained(str(tmp_path / "adapter"))
    left_out = ("~systems.rag", "~systems.hybrid", f"model.path={tmp_path / 'model'}", f"builds_dir={tmp_path / 'b'}")
    assembly = Assembly(compose(["experiment=pocket", "engine=vllm", *left_out]))
    adapters = {"finetuned": str(tmp_path / "adapter")}
    (attached,) = deployments(assembly, None, adapters, "request")
    (merged,) = deployments(assembly, None, adapters, "merged")
    (plain,) = deployments(assembly, None, adapters, "plain")
    assert [list(one.systems) for one in (attached, merged, plain)] == [
        ["prompt", "finetuned"],
        ["finetuned"],
        ["prompt"],
    ]
    assert [one.engine.adapters for one in (attached, merged, plain)] == [True, False, False]
    assert attached.engine.model.path == plain.engine.model.path == str(tmp_path / "model")
    assert Path(merged.engine.model.path).is_relative_to(tmp_path / "b" / "merged")
    assert len({id(one.engine) for one in (attached, merged, plain)}) == 3


def test_every_repeat_has_a_seed_of_its_own() -> None:
    asked = Call(messages=(Message(role="user", content="q"),), sampling=Sampling(temperature=1.0, seed=7))
    prepared = Prepared(query=Query(text="q"), request=asked)
    seeds = [repeated(prepared, repeat).request.sampling.seed for repeat in range(3)]
    assert seeds == [7, 8, 9]
    assert repeated(prepared, 0) == prepared
