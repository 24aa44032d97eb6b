"""vLLM's timestamps in our words, on outputs written by hand; no engine is started."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from systems.base import Request, Sampling
from systems.engines.vllm_words import completion, scored, transport


def output(**stamps: float) -> Any:
    """Queued at 100.2 s of the core's clock, scheduled, first and last token 0.1, 0.3 and 0.7 s later."""
    known = {"queued_ts": 100.2, "scheduled_ts": 100.3, "first_token_ts": 100.5, "last_token_ts": 100.9, **stamps}
    said = SimpleNamespace(
        text="12", token_ids=(7,), finish_reason="stop", logprobs=[{7: SimpleNamespace(logprob=-0.5, rank=1)}]
    )
    return SimpleNamespace(
        outputs=[said], prompt_token_ids=[1, 2], num_cached_tokens=0, metrics=SimpleNamespace(**known)
    )


def test_the_stages_are_those_of_the_core() -> None:
    assert completion(output()).timings == pytest.approx({"queue": 0.1, "prefill": 0.2, "decode": 0.4, "ttft": 0.3})
    assert completion(output(first_token_ts=0.0)).timings == {}


def test_a_scored_call_has_stages_and_no_first_token() -> None:
    request = Request(messages=(), sampling=Sampling(), token_ids=(1, 2), continuation=(7,))
    found = scored(output(), request)
    assert found.timings == pytest.approx({"queue": 0.1, "prefill": 0.2, "decode": 0.4})
    assert found.likelihood is not None
    assert (found.likelihood.log_likelihood, found.likelihood.greedy) == (-0.5, True)


def test_transport_is_what_two_clocks_enclose_or_nothing() -> None:
    # 0.2 s until the core had it, 0.1 s from its last token until we had that.
    assert transport(output(), 100.0, 101.0) == pytest.approx({"transport": 0.3})
    # A core whose clock began at another moment: its stages are right, but nobody clocked the ways.
    assert transport(output(), 5000.0, 5001.0) == transport(output(), 5.0, 6.0) == {}
    assert transport(output(first_token_ts=0.0), 100.0, 101.0) == {}
