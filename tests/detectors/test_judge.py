"""A judge is asked in both orders; what it leaves undecided is counted, kept apart, and a failed call is made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.detectors.base import Case
from bench.detectors.judge import Judge, read_verdict
from bench.judging import judged
from bench.records import Prediction, Sample
from systems.base import Chunk, Completion, Query
from systems.engines.openai import OpenAIEngine
from systems.model import Model
from tests.engines.server import Call, Server, answer, serving, status


def judge(url: str) -> Judge:
    model = Model(name="judge", path="judge")
    return Judge(engine=OpenAIEngine(model=model, base_url=url, retries=0), model_name="judge")


def case(text: str = "24 months [1]", shown: bool = True) -> Case:
    chunks = (Chunk(id="a", title="Alto", text="The warranty is 24 months."),) if shown else ()
    sample = Sample(id="1", task="t", query=Query(text="How long?"), reference="24 months")
    return Case(sample, Prediction(system="s", task="t", sample="1", text=text, shown=("a",) if shown else ()), chunks)


def completion(text: str, error: str | None = None) -> Completion:
    return Completion(text=text, tokens_in=0, tokens_out=0, finish_reason="stop", error=error)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("All is there. VERDICT: supported", "supported"),
        ("**Verdict:** Unsupported.", "unsupported"),
        ("VERDICT: supported? No. VERDICT: unsupported", "unsupported"),
        ("It is fine.", None),
        ("VERDICT: supportedish", None),
    ],
)
def test_verdicts_are_read(text: str, word: str | None) -> None:
    assert read_verdict(completion(text)) == word
    assert read_verdict(completion(text, error="time-out")) is None


def asked(server: Server) -> list[str]:
    """Every prompt, but for the one by which an engine makes sure that somebody answers."""
    prompts = [body["messages"][-1]["content"] for body in server.bodies]
    return [prompt for prompt in prompts if prompt != "Hello"]


def by_order(first: str, second: str) -> Any:
    """Answers ``first`` where the passages come before the answer."""

    def act(call: Call) -> None:
        text = call.body["messages"][-1]["content"]
        answer(first if text.startswith("Passages:") else second)(call)

    return act


@pytest.mark.parametrize(
    ("first", "second", "unfaithful", "score", "undecided"),
    [
        ("VERDICT: supported", "VERDICT: supported", False, 0.0, False),
        ("VERDICT: unsupported", "VERDICT: unsupported", True, 1.0, False),
        ("VERDICT: supported", "VERDICT: unsupported", True, 0.5, True),
        ("VERDICT: supported", "who knows", True, 0.25, True),
    ],
)
def test_both_orders_are_asked(
    first: str, second: str, unfaithful: bool, score: float, undecided: bool, tmp_path: Path
) -> None:
    with serving(by_order(first, second)) as server:
        [verdict] = judged([case()], judge(server.url), tmp_path / "judged.jsonl")
        assert verdict is not None
        assert (verdict["unfaithful"], verdict["score"], verdict["undecided"]) == (unfaithful, score, undecided)
        prompts = asked(server)
    assert len(prompts) == 2
    for prompt in prompts:
        assert "[1] Alto: The warranty is 24 months." in prompt
        assert "Answer: 24 months" in prompt
        assert "24 months [1]" not in prompt


def test_nothing_is_asked_twice_but_what_failed(tmp_path: Path) -> None:
    journal = tmp_path / "judged.jsonl"
    cases = [case(), case("36 months"), case("I don't know."), case("24 months", shown=False)]
    with serving(answer("VERDICT: supported")) as server:
        found = judged(cases, judge(server.url), journal)
        assert len(asked(server)) == 4
        assert judged(cases, judge(server.url), journal) == found
        assert len(asked(server)) == 4
    assert [one and one["asserted"] for one in found] == [1, 1, 0, 1]
    with serving(status(500)) as server:
        [failed] = judged([case("48 months")], judge(server.url), journal)
        assert failed is not None
        assert (failed["unfaithful"], failed["undecided"]) == (True, True)
    with serving(answer("VERDICT: supported")) as server:
        [again] = judged([case("48 months")], judge(server.url), journal)
        assert again is not None
        assert again["unfaithful"] is False
    kept = [json.loads(line)["verdict"] for line in journal.read_text().splitlines()]
    assert len(kept) == 5
    assert not any(verdict.get("failed") for verdict in kept)
