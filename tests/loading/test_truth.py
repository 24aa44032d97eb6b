"""What the client reports when an engine stalls, by a clock that is simulated: exactly what users waited."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bench.loading.client import HEADSTART, Client
from bench.loading.records import Request
from bench.stats import order_statistic
from tests.benchmarks import load_truth
from tests.benchmarks.load_truth import DELAY, PLACES, STALLED_RATE, from_send
from tests.benchmarks.stalling import STALL, STALLS_AT, answered, queued
from tests.loading.playing import NoStream, Timed, samples
from tests.loading.simulated import SimulatedAlarm, SimulatedLoop


def stalled(monkeypatch: pytest.MonkeyPatch, times: np.ndarray, places: int) -> list[Request]:
    """The records, by number, of a load on a system that stalls."""
    loop = SimulatedLoop()
    monkeypatch.setattr(time, "perf_counter", loop.time)
    alarm = SimulatedAlarm()

    def seconds(number: int) -> float:
        begun = loop.time() - HEADSTART
        return answered(begun + DELAY) - begun

    async def run() -> list[Request]:
        client = Client(
            system=Timed(seconds=seconds, alarm=alarm),
            stream=NoStream(),
            pool=None,
            alarm=alarm,
            timeout_seconds=30,
            in_flight=places,
        )
        return [record async for record in client.open_loop(samples(len(times)), times, warm_up=0)]

    try:
        return sorted(loop.run_until_complete(run()), key=lambda record: record.number)
    finally:
        loop.close()


def test_the_queue_is_that_of_a_calculation_by_hand() -> None:
    at = STALLS_AT - 1
    # One place, 0.4 s each: the third would end 0.2 s into the stall and ends with it, the fourth begins then.
    assert queued([at, at + 0.5, at + 0.8, at + 0.9], 1, 0.4) == pytest.approx([0.4, 0.4, 0.2 + STALL, 0.5 + STALL])


@pytest.mark.parametrize("places", PLACES.values())
def test_whoever_was_due_while_an_engine_stalled_has_waited(places: int, monkeypatch: pytest.MonkeyPatch) -> None:
    times = load_truth.arrivals(STALLED_RATE)
    records = stalled(monkeypatch, times, places)
    assert [record.e2e for record in records] == pytest.approx(queued(times, places, DELAY))
    assert order_statistic([record.e2e for record in records], 0.99) > 0.95 * STALL


def test_who_counts_from_the_send_sees_the_stall_only_with_every_request_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    times = load_truth.arrivals(STALLED_RATE)
    sent = {
        name: order_statistic([from_send(record) for record in stalled(monkeypatch, times, places)], 0.99)
        for name, places in PLACES.items()
    }
    assert sent["any number"] > 0.95 * STALL
    assert sent["8"] == pytest.approx(DELAY)
