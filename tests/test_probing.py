"""Probes of the base model: a model that knows the suite by heart is found out, one that does not is left alone."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bench.probing import ORDERS, continuation, order
from bench.records import Sample
from systems.base import Call, Query, Request
from systems.engines.stub import StubEngine
from systems.model import Model
from tests.calling import call, small
from tests.tiny import write_model

QUESTIONS = [
    f"In the year {1900 + n} somebody of town number {n} was asked for colour {7 * n} of door {n} on hill {n + 3}"
    for n in range(40)
]
OPTIONS = ("green", "a lamp", "seven", "north")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model"))


def samples(*, options: bool = False) -> list[Sample]:
    calls = tuple(Call(prompt="Q", continuation=f" {one}") for one in OPTIONS) if options else ()
    return [
        Sample(id=str(n), task="t", query=Query(text=text, calls=calls), reference="x")
        for n, text in enumerate(QUESTIONS)
    ]


def by_heart(request: Request) -> str:
    return next((text[len(request.text) :] for text in QUESTIONS if text.startswith(request.text)), "")


def test_a_question_known_by_heart_is_continued(model: Model) -> None:
    found = continuation(samples(), model, StubEngine(model=model, answer=by_heart), random.Random(0))
    assert found is not None
    assert (found.seen, found.of, found.chance) == (40, 40, 0.0)
    # Forty discordant pairs, all on one side: 2 / 2 ** 40.
    assert found.p_value == pytest.approx(2 / 2**40)
    assert found.finding(found.p_value)["level"] == "warning"


def test_what_every_question_ends_with_is_chance(model: Model) -> None:
    same = [
        Sample(
            id=str(n),
            task="t",
            query=Query(text=f"whatever is asked in number {n} it always ends in the same way"),
            reference="",
        )
        for n in range(20)
    ]
    engine = StubEngine(model=model, answer=lambda request: "it always ends in the same way")
    found = continuation(same, model, engine, random.Random(0))
    assert found is not None
    assert (found.seen, found.chance, found.p_value) == (20, 1.0, 1.0)
    assert found.finding(1.0)["level"] == "note"


def test_a_model_that_says_something_else_is_left_alone(model: Model) -> None:
    found = continuation(samples(), model, StubEngine(model=model), random.Random(0))
    assert found is not None
    assert (found.seen, found.p_value) == (0, 1.0)
    assert "no sign" in found.finding(1.0)["text"]


def test_short_questions_cannot_be_continued(model: Model) -> None:
    short = [Sample(id="1", task="t", query=Query(text="What is it?"), reference="")]
    assert continuation(short, model, StubEngine(model=model), random.Random(0)) is None


def listed(request: Request, model: Model) -> str:
    return str(model.tokenizer.decode(list(request.continuation)))


def test_options_known_in_their_order_are_found_out(model: Model) -> None:
    wanted = "\n".join(OPTIONS)
    engine = StubEngine(model=model, likelihood=lambda request: float(wanted in listed(request, model)))
    found = order(samples(options=True), model, engine, random.Random(0))
    assert found is not None
    assert (found.seen, found.of, found.chance) == (40, 40, 1 / ORDERS)
    assert found.p_value == pytest.approx(0.25**40)


def test_an_order_that_depends_on_nothing_is_chance(model: Model) -> None:
    rng = random.Random(3)
    engine = StubEngine(model=model, likelihood=lambda request: rng.random())
    found = order(samples(options=True), model, engine, random.Random(0))
    assert found is not None
    assert 0 < found.seen < 25
    assert found.p_value > 0.05
    assert order(samples(), model, engine, random.Random(0)) is None


def test_a_run_probes_when_asked_and_tells_it_once(place: Path, tiny_model: Path) -> None:
    run = call("run", *small(tiny_model), "probes=6")
    assert run.code == 0, run.err
    assert "probing tiny on 6 samples" in run.err or "probing" in run.err
    findings = json.loads((run.path / "manifest.json").read_text())["findings"]
    told = [one["text"] for one in findings if one["text"].startswith("Probe of the model")]
    assert len(told) == 1
    assert "5 words of the rest of a question" in told[0]
    assert "Probe of the model" in (run.path / "report.html").read_text()
    plain = call("run", *small(tiny_model))
    assert not (plain.path / "probes.json").exists()
