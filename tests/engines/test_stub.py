"""The stub engine: its answers and delays are known, so the harness can be measured against it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from systems.base import Message, Request, Sampling
from systems.engines.stub import StubEngine
from tests.tiny import write_model


def request(text: str) -> Request:
    return Request(messages=(Message(role="user", content=text),), sampling=Sampling())


def test_answers_come_from_the_function_then_the_table_then_the_default(tmp_path: Path) -> None:
    model = write_model(tmp_path)
    engine = StubEngine(model=model, answers={"a": "one two"}, default="none")
    found = dict(engine.generate([request("a"), request("b c")]))
    assert [found[n].text for n in (0, 1)] == ["one two", "none"]
    assert (found[0].tokens_out, found[1].tokens_in) == (2, 2)
    computing = StubEngine(model=model, answers={"a": "x"}, answer=lambda r: r.messages[-1].content.upper())
    assert next(computing.generate([request("a")]))[1].text == "A"


def test_delays_overlap_up_to_the_requests_in_flight(tmp_path: Path) -> None:
    engine = StubEngine(model=write_model(tmp_path), delay_seconds=0.3)
    started = time.perf_counter()
    assert len(list(engine.generate([request("a")] * 6, in_flight=3))) == 6
    # Six calls, three at once: two rounds of 0.3 s; one after the other they would take 1.8 s.
    assert 0.6 <= time.perf_counter() - started < 1.8


def test_requests_are_pulled_only_when_there_is_room(tmp_path: Path) -> None:
    pulled = 0

    def requests() -> Iterator[Request]:
        nonlocal pulled
        for _ in range(5):
            pulled += 1
            yield request("a")

    source = StubEngine(model=write_model(tmp_path)).generate(requests(), in_flight=2)
    next(source)
    assert pulled == 2
    assert len(list(source)) == 4
