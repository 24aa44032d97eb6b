"""The two systems: what they send, what they show, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.base import Call, Chunk, Completion, Filters, Hit, Query, Request, Sampling, UserError
from systems.engines.stub import StubEngine
from systems.model import Adapter, Model
from systems.prompted import Prompted, answer
from systems.prompts import PromptBuilder, passage
from systems.retrieving import Retrieving, within_budget
from tests.tiny import write_adapter, write_model

WORDS = st.lists(st.integers(min_value=0, max_value=12), max_size=8)


class Fixed:
    """A retriever with one answer, which remembers what it was asked."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = list(hits)
        self.asked: list[tuple[str, Filters]] = []

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        self.asked.append((text, filters))
        return self.hits, {"embed": 0.1, "search": 0.2}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model"), context_tokens=200)


def hits(*texts: str) -> list[Hit]:
    return [
        Hit(chunk=Chunk(id=f"c{n}", text=text, document=f"d{n}"), score=1.0 / (n + 1)) for n, text in enumerate(texts)
    ]


def count(text: str) -> int:
    return len(text.split())


@given(WORDS, st.integers(min_value=0, max_value=40))
def test_passages_keep_to_the_budget_and_to_their_order(sizes: list[int], budget: int) -> None:
    chunks = [Chunk(id=str(n), text=" ".join(["w"] * size)) for n, size in enumerate(sizes)]
    kept = within_budget(chunks, budget, count)
    assert sum(count(passage(n, chunk) + "\n") for n, chunk in enumerate(kept, 1)) <= budget
    assert [int(chunk.id) for chunk in kept] == sorted(int(chunk.id) for chunk in kept)
    # Greedy: whatever was passed over did not fit behind what was kept before it.
    for chunk in chunks:
        if chunk not in kept:
            before = [other for other in kept if int(other.id) < int(chunk.id)]
            used = sum(count(passage(n, other) + "\n") for n, other in enumerate(before, 1))
            assert used + count(passage(len(before) + 1, chunk) + "\n") > budget


def test_one_that_is_too_long_is_passed_over() -> None:
    chunks = [Chunk(id="a", text="w w"), Chunk(id="b", text="w " * 20), Chunk(id="c", text="w w")]
    assert [chunk.id for chunk in within_budget(chunks, 6, count)] == ["a", "c"]
    assert within_budget(chunks, 2, count) == []


def test_a_retrieving_system_shows_the_best_passages_and_asks_for_the_role(model: Model) -> None:
    retriever = Fixed(*hits("one", "two", "three"))
    engine = StubEngine(model=model, answer=lambda request: "It is two [2] [1].")
    system = Retrieving(
        name="rag",
        model=model,
        engine=engine,
        prompt=PromptBuilder(),
        retriever=retriever,
        top_k=2,
        sampling=Sampling(temperature=0.5),
    )
    query = Query(text="Which?", instruction="Answer.", role="sales", filters={"versions": (2,)}, max_tokens=7)
    prepared = system.prepare(query)
    assert retriever.asked == [("Which?", Filters(role="sales", versions=(2,)))]
    assert prepared.shown == ("c0", "c1")
    assert [hit.chunk.id for hit in prepared.retrieved] == ["c0", "c1", "c2"]
    assert prepared.request.messages[-1].content == "Passages:\n[1] one\n[2] two\n\nWhich?"
    assert prepared.request.sampling == Sampling(temperature=0.5, max_tokens=7)
    [(index, given_answer)] = system.respond([prepared])
    assert (index, given_answer.text, given_answer.citations) == (0, "It is two [2] [1].", (2, 1))
    assert given_answer.shown == ("c0", "c1")
    assert given_answer.timings["search"] == 0.2
    assert given_answer.timings["e2e"] > 0


def test_answers_belong_to_their_queries_in_whatever_order_they_come(model: Model) -> None:
    def swapped(request: Request) -> str:
        return request.messages[-1].content.upper()

    class Backwards(StubEngine):
        def generate(self, requests, in_flight=None):  # type: ignore[no-untyped-def]
            yield from reversed(list(super().generate(requests, in_flight)))

    system = Prompted(name="p", model=model, engine=Backwards(model=model, answer=swapped), prompt=PromptBuilder())
    prepared = [system.prepare(Query(text=text)) for text in "abc"]
    assert {index: found.text for index, found in system.respond(prepared)} == {0: "A", 1: "B", 2: "C"}


def test_a_prompt_that_leaves_no_room_is_refused_with_its_sizes(model: Model) -> None:
    system = Prompted(name="p", model=model, engine=StubEngine(model=model), prompt=PromptBuilder())
    size = len(model.encode(system.request(Query(text="hello"), ()).messages))
    fits = Query(text="hello", max_tokens=200 - size)
    assert system.prepare(fits).request.sampling.max_tokens == 200 - size
    with pytest.raises(UserError) as error:
        system.prepare(Query(text="hello", max_tokens=201 - size))
    assert str(error.value) == (
        f"prompt of {size} tokens + {201 - size} for the answer does not fit the 200 tokens of tiny; "
        "shorten the text or take a shorter prompt"
    )


def test_answers_are_constrained_only_where_it_is_said(model: Model) -> None:
    query = Query(text="q", schema={"type": "object"})
    for constrained in (False, True):
        system = Prompted(
            name="p", model=model, engine=StubEngine(model=model), prompt=PromptBuilder(), constrained=constrained
        )
        assert system.prepare(query).request.schema == ({"type": "object"} if constrained else None)


def test_steps_are_kept_apart_from_the_answer_and_counted_with_it(model: Model) -> None:
    engine = StubEngine(model=model, answer=lambda request: "Passage [1] says it.\nFinal answer: 12 euros [2]")
    builder = PromptBuilder(reasoning=True, reasoning_tokens=50)
    system = Prompted(name="p", model=model, engine=engine, prompt=builder)
    prepared = system.prepare(Query(text="q", max_tokens=7))
    assert prepared.request.sampling.max_tokens == 57
    [(_, found)] = system.respond([prepared])
    assert (found.text, found.reasoning, found.citations) == ("12 euros [2]", "Passage [1] says it.", (2,))
    assert found.tokens_out == 9


def test_steps_need_room_in_the_context(model: Model) -> None:
    builder = PromptBuilder(reasoning=True, reasoning_tokens=180)
    system = Prompted(name="p", model=model, engine=StubEngine(model=model), prompt=builder)
    with pytest.raises(UserError, match=r"\+ 187 for the answer does not fit the 200 tokens"):
        system.prepare(Query(text="q", max_tokens=7))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"constrained": True}, "systems.p.constrained=true: leaves no room for the steps of prompt.reasoning=true"),
        ({"adapter": "somewhere"}, "systems.p.prompt.reasoning=true: weights are tuned on answers without steps"),
    ],
)
@pytest.mark.parametrize("kind", [Prompted, Retrieving])
def test_steps_are_refused_where_there_is_no_place_for_them(
    kind: type[Prompted], setting: dict[str, Any], said: str, model: Model
) -> None:
    more = {"retriever": Fixed()} if kind is Retrieving else {}
    builder = PromptBuilder(reasoning=True)
    with pytest.raises(UserError) as caught:
        kind(name="p", model=model, engine=StubEngine(model=model), prompt=builder, **setting, **more)
    assert str(caught.value).startswith(said)


def test_a_failed_call_is_an_answer_with_an_error(model: Model) -> None:
    system = Prompted(name="p", model=model, engine=StubEngine(model=model), prompt=PromptBuilder())
    failed = Completion(text="", tokens_in=0, tokens_out=0, finish_reason="error", error="ReadError: gone")
    prepared = system.prepare(Query(text="q"))
    found = answer(prepared, prepared.started, [failed])
    assert (found.text, found.error, found.finish_reason) == ("", "ReadError: gone", "error")


def test_the_first_token_is_waited_for_from_before_retrieval(model: Model) -> None:
    system = Prompted(name="p", model=model, engine=StubEngine(model=model), prompt=PromptBuilder())
    prepared = system.prepare(Query(text="q"))
    said = Completion(text="a", tokens_in=1, tokens_out=1, finish_reason="stop", timings={"ttft": 0.25, "queue": 0.1})
    found = answer(prepared, prepared.started + 2.0, [said])
    assert found.timings["ttft"] == pytest.approx(2.25)
    assert found.timings["queue"] == 0.1


def test_several_calls_have_the_stages_of_the_longest(model: Model) -> None:
    system = Prompted(name="p", model=model, engine=StubEngine(model=model), prompt=PromptBuilder())
    prepared = system.prepare(Query(text="q", calls=(Call(prompt="a"), Call(prompt="b"))))
    said = [
        Completion(text="a", tokens_in=1, tokens_out=1, finish_reason="stop", timings={"queue": queue, "ttft": queue})
        for queue in (0.3, 0.1)
    ]
    found = answer(prepared, prepared.started, said)
    assert found.timings["queue"] == 0.3
    assert "ttft" not in found.timings


def test_no_passages_at_all_is_refused(model: Model) -> None:
    with pytest.raises(UserError, match=r"top_k=0: must be 1 or more"):
        Retrieving(
            name="r",
            model=model,
            engine=StubEngine(model=model),
            prompt=PromptBuilder(),
            retriever=Fixed(),
            top_k=0,
        )


def test_an_adapter_is_named_by_its_weights_alone(tmp_path: Path) -> None:
    one = write_adapter(tmp_path / "a", b"weights", r=8)
    assert write_adapter(tmp_path / "b", b"weights", r=16).name == one.name
    assert write_adapter(tmp_path / "c", b"others", r=8).name != one.name
    # Begins the sha256 of the bytes, taken with coreutils.
    assert one.name == "9a129038d9a00aed"
    with pytest.raises(UserError, match=r"no adapter_model\.safetensors there"):
        _ = Adapter(path=str(tmp_path)).name


def test_an_adapter_the_model_cannot_carry_is_refused(tmp_path: Path, model: Model) -> None:
    import json

    write_adapter(tmp_path / "fine", use_dora=False).check(model)
    with pytest.raises(UserError, match="DoRA cannot be attached per request; merge it"):
        write_adapter(tmp_path / "dora", use_dora=True).check(model)
    for base, refused in ((model.identity, False), ("another", True)):
        adapter = write_adapter(tmp_path / base)
        (tmp_path / base / "training.json").write_text(json.dumps({"base": base}))
        if refused:
            with pytest.raises(UserError, match=f"was trained on base model another, not on tiny \\({model.identity}"):
                adapter.check(model)
        else:
            adapter.check(model)
