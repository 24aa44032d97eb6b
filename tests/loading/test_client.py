"""The client against a system of known delays: what counts from when, and what becomes of every kind of trouble."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from bench.records import Sample
from systems.base import Call, Completion, Failure, Query, Request, Sampling, UserError
from systems.engines.stub import StubEngine
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from tests.loading.playing import Timed, asked, samples
from tests.tiny import write_model

SLACK = 0.05
"""A shared machine may keep a thread waiting so long."""


def test_latency_counts_from_the_moment_a_request_was_due() -> None:
    # One place, 0.1 s each, all due at once: the third waits for the first two, and its wait is its own.
    system = Timed(seconds=lambda number: 0.1)
    records = asked(system, lambda client: client.open_loop(samples(3), np.zeros(3), warm_up=0), in_flight=1)
    for place, record in enumerate(records, 1):
        assert record.e2e == pytest.approx(0.1 * place, abs=SLACK)
        assert record.timings["admission"] == pytest.approx(0.1 * (place - 1), abs=SLACK)
    assert system.most_at_once == 1


def test_a_slow_answer_holds_back_no_question() -> None:
    system = Timed(seconds=lambda number: 0.4 if number == 0 else 0.02)
    times = np.array([0.0, 0.05, 0.1, 0.15])
    records = asked(system, lambda client: client.open_loop(samples(4), times, warm_up=0))
    assert [record.e2e for record in records] == pytest.approx([0.4, 0.02, 0.02, 0.02], abs=SLACK)
    assert [record.scheduled for record in records] == pytest.approx(times.tolist())
    assert np.diff(system.asked) == pytest.approx([0.05] * 3, abs=SLACK)


def test_a_closed_loop_asks_when_it_was_answered() -> None:
    system = Timed(seconds=lambda number: 0.05)
    records = asked(system, lambda client: client.closed_loop(samples(8), 2, warm_up=2))
    assert system.most_at_once == 2
    assert [record.measured for record in records] == [False] * 2 + [True] * 6
    assert records[-1].scheduled == pytest.approx(0.15, abs=3 * SLACK)


def test_a_time_out_is_an_outcome_and_ends_the_work() -> None:
    system = Timed(seconds=lambda number: 9.0 if number == 1 else 0.01)
    records = asked(system, lambda client: client.open_loop(samples(3), np.zeros(3), warm_up=0), timeout_seconds=0.2)
    assert [record.timed_out for record in records] == [False, True, False]
    assert records[1].error == "TimeoutError: no answer within 0.2 s"
    assert records[1].e2e == pytest.approx(0.2, abs=SLACK)
    assert system.cancelled == 1


def test_a_failure_is_an_outcome_and_a_users_mistake_is_not() -> None:
    times = np.zeros(2)
    failing = Timed(seconds=lambda number: 0.0, error=lambda number: Failure("index: gone") if number == 0 else None)
    records = asked(failing, lambda client: client.open_loop(samples(2), times, warm_up=0))
    assert [record.error for record in records] == ["index: gone", None]
    broken = Timed(seconds=lambda number: 0.0, error=lambda number: KeyError("usage") if number == 0 else None)
    records = asked(broken, lambda client: client.open_loop(samples(2), times, warm_up=0))
    assert [record.error for record in records] == ["KeyError: 'usage'", None]
    mistaken = Timed(seconds=lambda number: 9.0, error=lambda number: UserError("too long") if number == 0 else None)
    with pytest.raises(UserError, match="too long"):
        asked(mistaken, lambda client: client.open_loop(samples(2), times, warm_up=0))
    assert mistaken.cancelled == 1


def test_the_stages_add_up() -> None:
    system = Timed(seconds=lambda number: 0.1)
    (record,) = asked(system, lambda client: client.open_loop(samples(1), np.zeros(1), warm_up=0))
    stages = {stage: value for stage, value in record.timings.items() if stage != "ttft"}
    assert sum(stages.values()) == pytest.approx(record.e2e, abs=1e-6)
    assert abs(stages["unaccounted"]) < 0.02 * record.e2e
    assert record.gaps == pytest.approx((0.2,))
    assert record.timings["ttft"] == pytest.approx(0.05, abs=SLACK)


class Turns:
    """A stream that works on one call after the other, 0.1 s each, and says what each waited and took."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()

    async def complete(self, request: Request) -> Completion:
        asked = time.perf_counter()
        async with self.turn:
            begun = time.perf_counter()
            await asyncio.sleep(0.1)
            timings = {"queue": begun - asked, "decode": time.perf_counter() - begun}
        return Completion(text="x", tokens_in=1, tokens_out=1, finish_reason="stop", timings=timings)

    async def reset_prefix_cache(self) -> bool:
        return True


def test_the_stages_of_the_harness_say_what_they_took_of_a_processor(tmp_path: Path) -> None:
    model = write_model(tmp_path)
    engine = StubEngine(model=model, delay_seconds=0.1, default='{"a": 1}')
    system = Prompted(name="p", model=model, engine=engine, prompt=PromptBuilder(shots=0))
    sample = Sample(id="0", task="t", query=Query(text="q", schema={"type": "object"}), reference="x")
    (record,) = asked(system, lambda one: one.open_loop([sample], np.zeros(1), warm_up=0), stream=Turns())
    assert set(record.cpu) == {"prompt", "validate"}
    for stage, seconds in record.cpu.items():
        assert seconds is not None
        assert 0 < seconds <= record.timings[stage] + 1e-3
    assert not any(stage.endswith("_cpu") for stage in record.timings)


def test_a_query_of_several_calls_has_the_stages_of_the_one_it_waited_for(tmp_path: Path) -> None:
    model = write_model(tmp_path)
    system = Prompted(name="p", model=model, engine=StubEngine(model=model), prompt=PromptBuilder(shots=0))
    calls = tuple(Call(prompt=f"what is {number}", sampling=Sampling(max_tokens=1)) for number in range(3))
    sample = Sample(id="0", task="t", query=Query(text="q", calls=calls), reference="x")
    (record,) = asked(system, lambda one: one.open_loop([sample], np.zeros(1), warm_up=0), stream=Turns())
    assert record.error is None
    assert record.timings["queue"] == pytest.approx(0.2, abs=SLACK)
    assert record.timings["decode"] == pytest.approx(0.1, abs=SLACK)
    assert "ttft" not in record.timings
    assert sum(record.timings.values()) == pytest.approx(record.e2e, abs=1e-6)
    assert abs(record.timings["unaccounted"]) < 0.02 * record.e2e


def test_what_cannot_be_sent_in_time_shows_as_lag() -> None:
    def busy(number: int) -> float:
        if number == 0:  # holds the event loop, as nothing should
            time.sleep(0.3)
        return 0.0

    records = asked(Timed(seconds=busy), lambda client: client.open_loop(samples(2), np.array([0.0, 0.05]), warm_up=0))
    assert records[1].lag == pytest.approx(0.25, abs=SLACK)
    assert records[1].e2e >= records[1].lag
