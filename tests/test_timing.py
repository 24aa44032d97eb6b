"""A stage's seconds, and its thread's processor seconds, where they are all of them."""

from __future__ import annotations

import time

from systems.timing import CPU, timed


def test_a_stage_that_waits_takes_time_and_no_processor() -> None:
    timings: dict[str, float] = {}
    with timed(timings, "search"):
        time.sleep(0.1)
    assert timings["search"] >= 0.1
    assert timings["search" + CPU] < 0.05


def test_what_has_helpers_is_not_told() -> None:
    timings: dict[str, float] = {}
    with timed(timings, "embed", alone=False):
        pass
    assert list(timings) == ["embed"]
