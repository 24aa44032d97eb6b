"""``bench doctor --deep``: the engine is started for real and asked once."""

from __future__ import annotations

import json

import pytest

from systems.engines.vllm import installed
from tests.calling import start

pytestmark = [pytest.mark.engine, pytest.mark.skipif(not installed(), reason="vLLM is not installed")]


def test_the_engine_is_started_and_serves_once() -> None:
    done = start("doctor", "--deep", "--json")
    rows = {row["name"]: row for row in json.loads(done.out)["findings"]}
    assert rows["vLLM start"] == {
        "name": "vLLM start",
        "state": "ok",
        "found": "served the pocket model",
        "fix": "",
        "needed": True,
    }
