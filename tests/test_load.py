"""The load: what it calls itself, what it counts, and under which name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.generate import repeated
from bench.journal import read
from bench.load import ClosedLoop
from bench.records import Sample
from bench.report import load_estimates
from systems.base import Message, Prepared, Query, Request, Sampling
from tests.calling import call, small


def test_its_mode_says_what_was_not_so() -> None:
    load = ClosedLoop(concurrency=3, requests=20, warm_up=5)
    whole = "closed loop, 3 at once, prefix cache cold, adapter per request, retrieval in the engine's own loop"
    assert load.mode(asked(a=25), cold=True) == whole
    assert load.mode(asked(a=24), cold=True) == f"{whole}, prompts repeated"
    # Tasks take turns, so a small one is asked again while another has questions left.
    assert load.mode(asked(a=100, b=3), cold=True) == f"{whole}, prompts repeated"
    assert "prefix cache of the server, not reset" in load.mode(asked(a=25), cold=False)


def asked(**tasks: int) -> list[Sample]:
    return [
        Sample(id=str(n), task=task, query=Query(text=f"{task} {n}"), reference="x")
        for task, count in tasks.items()
        for n in range(count)
    ]


def row(number: int, e2e: float, error: str | None = None) -> dict[str, object]:
    timings = {"e2e": e2e, "ttft": e2e / 2, "search": 0.01} if error is None else {}
    return {"mode": "m", "timings": timings, "tokens_out": 6, "error": error, "finished": number + 1.0}


def test_failed_calls_are_slower_than_every_answer() -> None:
    good = [row(number, 0.1 + number * 7 % 40 / 1000) for number in range(40)]
    failed = [row(40 + number, 0.0, "time-out") for number in range(10)]
    alone, mixed = load_estimates(good), load_estimates(good + failed)
    assert alone["latency_e2e_p50"].estimate == pytest.approx(0.119)
    # The 25th of 50 calls, the failed ones being the slowest.
    assert mixed["latency_e2e_p50"].estimate == pytest.approx(0.124)
    assert mixed["ttft_p50"].estimate == pytest.approx(0.124 / 2)
    assert mixed["stage_search_p50"].estimate == pytest.approx(0.01)
    # (E2E - TTFT) / (n - 1)
    assert alone["tpot_p50"].estimate == pytest.approx(0.119 / 2 / 5)


def test_requests_in_one_queue_do_not_count_as_independent() -> None:
    # Two stretches of the run, one slow: 40 latencies that tell little more than two would.
    slow_then_fast = load_estimates([row(number, 0.9 if number < 20 else 0.1) for number in range(40)])
    assert slow_then_fast["latency_e2e_p50"].estimate is None
    assert "40 samples in 8 blocks are too few" in (slow_then_fast["latency_e2e_p50"].reason or "")
    in_turn = load_estimates([row(number, 0.9 if number % 2 else 0.1) for number in range(40)])
    assert in_turn["latency_e2e_p50"].estimate is not None
    assert "blocks" in (in_turn["latency_e2e_p50"].method or "")


def test_two_systems_of_one_kind_are_kept_apart(tiny_model: Path, tmp_path: Path) -> None:
    again = ("+system@systems.second=prompt", f"run_dir={tmp_path / 'run'}", f"builds_dir={tmp_path / 'builds'}")
    done = call("run", *small(tiny_model, *again))
    assert done.code == 0, done.err
    records = list(read(tmp_path / "run" / "load.jsonl"))
    assert {record["system"] for record in records} == {"prompt", "rag", "second"}
    systems = json.loads((tmp_path / "run" / "summary.json").read_text())["systems"]
    assert systems["second"]["measures"]["throughput"]["n"] == 8


def test_every_repeat_has_a_seed_of_its_own() -> None:
    request = Request(messages=(Message(role="user", content="q"),), sampling=Sampling(temperature=1.0, seed=7))
    prepared = Prepared(query=Query(text="q"), request=request)
    seeds = [repeated(prepared, repeat).request.sampling.seed for repeat in range(3)]
    assert seeds == [7, 8, 9]
    assert repeated(prepared, 0) == prepared
