"""The closed-world check against cases written and judged by hand (``tests/data/closed_world.jsonl``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.detectors.assertions import claims
from bench.detectors.closed_world import ClosedWorld
from bench.detectors.none import NoDetector
from bench.records import Prediction, Sample
from systems.base import Chunk, Query

CASES = [
    json.loads(line)
    for line in Path(__file__, "../../data/closed_world.jsonl").resolve().read_text(encoding="utf-8").splitlines()
]


def sample(case: dict[str, Any]) -> Sample:
    tags: dict[str, Any] = {"extraction": True}
    if "value_kind" in case:
        tags = {"value_kind": case["value_kind"], "phrases": case["phrases"], "entity": "ENT-1"}
    return Sample(id="1", task="t", query=Query(text=case["query"]), reference=case["reference"], tags=tags)


def prediction(text: str, **more: Any) -> Prediction:
    return Prediction(system="s", task="t", sample="1", text=text, **more)


@pytest.mark.parametrize("case", CASES, ids=[f"{n}: {case['why']}" for n, case in enumerate(CASES)])
def test_verdicts_are_those_given_by_hand(case: dict[str, Any]) -> None:
    shown = []
    for number, passage in enumerate(case["passages"]):
        document, text, *title = passage.split("|")
        shown.append(Chunk(id=str(number), document=document, text=text, title="".join(title)))
    verdict = ClosedWorld().judge(sample(case), prediction(case["answer"]), shown)
    assert verdict is not None
    assert {key: verdict[key] for key in case["expected"]} == case["expected"]


def test_the_hand_written_cases_are_many_and_of_both_kinds() -> None:
    unfactual = [case["expected"]["unfactual"] for case in CASES]
    assert len(CASES) >= 100
    assert 30 <= sum(unfactual) <= len(CASES) - 30


def test_each_passage_is_judged_on_its_own() -> None:
    case = {"query": "q", "value_kind": "days", "phrases": ["notice period"], "reference": "14 days"}
    shown = [
        Chunk(id="a", document="ENT-1", text="The notice period is 14 days."),
        Chunk(id="b", document="ENT-1", text="| notice period | 20 days |"),
        Chunk(id="c", document="ENT-2", text="The notice period is 14 days."),
    ]
    verdict = ClosedWorld().judge(sample(case), prediction("20 days"), shown)
    assert verdict is not None
    assert verdict["supports"] == [False, True, False]
    assert verdict["holds"] == [True, False, False]
    assert verdict["unfaithful"] is False
    assert verdict["unfactual"] is True


def test_what_is_not_its_kind_is_not_judged() -> None:
    routing = Sample(id="1", task="t", query=Query(text="q"), reference="Desk")
    computed = Sample(id="1", task="t", query=Query(text="q"), reference={"a": 1})
    assert ClosedWorld().judge(routing, prediction("Desk"), ()) is None
    assert ClosedWorld().judge(computed, prediction("{}"), ()) is None
    assert ClosedWorld().judge(routing, prediction("", error="time-out"), ()) is None
    assert NoDetector().judge(sample(CASES[0]), prediction("412 euros"), ()) is None


def test_a_call_that_failed_asserts_nothing() -> None:
    verdict = ClosedWorld().judge(sample(CASES[0]), prediction("", error="time-out"), ())
    assert verdict is not None
    assert (verdict["asserted"], verdict["unfactual"], verdict["unfaithful"]) == (0, False, None)


def test_every_kind_reads_the_values_that_the_world_draws() -> None:
    import random

    from bench.world.names import Namer
    from bench.world.values import KINDS

    rng = random.Random(1)
    namer = Namer(rng)
    for kind in KINDS.values():
        for _ in range(50):
            value = kind.draw(rng, namer)
            for text in (value, f"It is {value} [1].", f'"{value}"', f"The answer is {value}, as stated."):
                assert claims(text, kind.name).asserted == (value,), text


def test_a_form_that_makes_up_its_source_is_not_factual() -> None:
    reference = {"answer": "14 days", "document": "POL-101", "version": 3}
    tags = {"value_kind": "days", "phrases": ["notice period"], "entity": "POL-101"}
    asked = Sample(id="1", task="t", query=Query(text="q"), reference=reference, tags=tags)
    chunk = Chunk(
        id="a", document="POL-101", title="Rome policy (POL-101, version 3)", text="The notice period is 14 days."
    )

    def verdict(shown: list[Chunk], **form: Any) -> tuple[Any, Any, Any]:
        found = ClosedWorld().judge(asked, prediction(json.dumps({**reference, **form})), shown)
        assert found is not None
        return found["unfactual"], found["unfaithful"], found["asserted"]

    assert verdict([chunk]) == (False, False, 3)
    assert verdict([chunk], document="PLN-999") == (True, True, 3)
    assert verdict([chunk], version=2) == (True, True, 3)
    assert verdict([chunk], document=None, version=None) == (False, False, 1)
    assert verdict([], document="PLN-999") == (True, None, 3)
    assert verdict([], answer=None, document=None, version=None) == (False, None, 0)
