"""What makes the comparison mean something (DESIGN, section 5): each rule has a test that fails when it is broken."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Any

import pytest

from bench.config import build, compose, resolved
from bench.fairness import differences, separate_adapters, variants
from bench.records import Sample
from bench.tasks.company.facts import Facts
from bench.tasks.company.review import Review
from bench.world.company import found
from systems.base import Chunk, Filters, Hit, Query, System
from systems.engines.stub import StubEngine
from systems.knowledge.oracle import OracleRetriever
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import context_block
from systems.retrieving import Retrieving
from tests.tiny import write_model

NAMES = ("prompt", "rag", "finetuned", "hybrid")
SETTINGS = (
    [],
    ["prompt=controlled"],
    ["prompt=controlled", "sampling=nucleus", "retriever=dense", "context_budget=300", "passages=2"],
    ["experiment=pocket"],
    ["experiment=pocket_controlled"],
    ["prompt.base.reasoning=true"],
    ["experiment=pocket_no_parity"],
)
PASSAGES = [Chunk(id=str(n), title=f"Page {n}", text=f"The fee is {n} euros.") for n in range(3)]


class Fixed:
    """A retriever with the same hits for everybody."""

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        return [Hit(chunk=chunk, score=1.0) for chunk in PASSAGES], {}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model"))


def systems(config: Any, model: Model) -> dict[str, Prompted]:
    """The four systems as the config wants them, over a fixed retriever."""
    engine = StubEngine(model=model)
    made: dict[str, Prompted] = {}
    for name in NAMES:
        node = config.systems[name]
        parts: dict[str, Any] = {
            "name": name,
            "model": model,
            "engine": engine,
            "prompt": build(node.prompt),
            "sampling": build(node.sampling),
            "constrained": node.constrained,
            "adapter": "somewhere" if "adapter" in node else None,
        }
        if "retriever" in node:
            shown = {"top_k": node.top_k, "context_budget": node.context_budget}
            made[name] = Retrieving(**parts, retriever=Fixed(), **shown)
        else:
            made[name] = Prompted(**parts)
    return made


def test_a_query_has_no_place_for_a_reference() -> None:
    allowed = {"text", "instruction", "guidance", "schema", "examples", "role", "filters", "max_tokens", "calls"}
    assert {field.name for field in dataclasses.fields(Query)} == allowed
    assert not issubclass(Sample, Query)
    assert typing.get_type_hints(System.prepare)["query"] is Query
    for kind in (Prompted, Retrieving):
        assert typing.get_type_hints(kind.prepare)["query"] is Query


@pytest.mark.parametrize("overrides", SETTINGS, ids=" ".join)
def test_the_systems_of_a_run_differ_in_nothing_but_what_makes_them(overrides: list[str]) -> None:
    config = compose([*overrides, "engine=stub"])
    nodes = [config.systems[name] for name in NAMES]
    assert list(config.systems) == list(NAMES)
    assert len({str(node.sampling) for node in nodes}) == 1
    assert len({bool(node.constrained) for node in nodes}) == 1
    # Model and engine stand outside of the systems: no node can bring its own.
    for node in nodes:
        assert not {"model", "engine", "dtype", "quantization"} & set(node)
    rag, hybrid = config.systems.rag, config.systems.hybrid
    assert (rag.retriever, rag.top_k, rag.context_budget) == (hybrid.retriever, hybrid.top_k, hybrid.context_budget)
    assert (rag.retriever, rag.top_k) == (config.retriever, config.passages)
    assert rag.context_budget == config.context_budget
    # The grid is two switches: what a row or a column shares is equal to the letter.
    prompt, finetuned = config.systems.prompt, config.systems.finetuned
    assert prompt.prompt == rag.prompt
    assert finetuned.prompt == hybrid.prompt
    assert finetuned.adapter == hybrid.adapter == config.tuning
    assert "adapter" not in prompt
    assert "adapter" not in rag
    assert "retriever" not in prompt
    assert "retriever" not in finetuned


@pytest.mark.parametrize("overrides", SETTINGS, ids=" ".join)
def test_retrieval_adds_the_context_block_to_a_systems_prompt_and_nothing_else(
    overrides: list[str], model: Model
) -> None:
    made = systems(compose([*overrides, "engine=stub"]), model)
    for task in (Facts(metrics=(), world=found(2026, 12)), Review(metrics=(), world=found(2026, 12))):
        query = task.samples("test")[0].query
        for without, retrieving in (("prompt", "rag"), ("finetuned", "hybrid")):
            plain, shown = made[without].prepare(query), made[retrieving].prepare(query)
            block = context_block(PASSAGES[: len(shown.shown)])
            assert shown.shown == tuple(chunk.id for chunk in PASSAGES[: len(shown.shown)]) != ()
            assert shown.request.messages[:-1] == plain.request.messages[:-1]
            assert shown.request.messages[-1].content == block + plain.request.messages[-1].content
            assert shown.request.sampling == plain.request.sampling
            assert shown.request.schema == plain.request.schema
            assert shown.request.adapter == plain.request.adapter


def test_in_the_controlled_grid_all_four_prompts_are_one(model: Model) -> None:
    config = compose(["prompt=controlled", "engine=stub"])
    assert config.prompt.grid == "controlled"
    made = systems(config, model)
    query = Review(metrics=(), world=found(2026, 12)).samples("test")[0].query
    prepared = {name: system.prepare(query).request for name, system in made.items()}
    assert prepared["prompt"].messages == prepared["finetuned"].messages
    assert prepared["rag"].messages == prepared["hybrid"].messages
    assert prepared["rag"].messages[:-1] == prepared["prompt"].messages[:-1]
    assert [prepared[name].adapter for name in NAMES] == [None, None, "somewhere", "somewhere"]


def test_in_the_practical_grid_the_base_systems_carry_examples_and_schema(model: Model) -> None:
    config = compose(["prompt=practical", "engine=stub"])
    assert config.prompt.grid == "practical"
    made = systems(config, model)
    query = Review(metrics=(), world=found(2026, 12)).samples("test")[0].query
    prepared = {name: system.prepare(query).request.messages for name, system in made.items()}
    for name in ("prompt", "rag"):
        assert "JSON Schema of the answer" in prepared[name][0].content
        assert len(prepared[name]) == 2 + 2 * len(query.examples)
    for name in ("finetuned", "hybrid"):
        assert prepared[name][0].content == query.instruction
        assert len(prepared[name]) == 2


def test_a_setting_reaches_every_system_or_one(tmp_path: Path) -> None:
    everywhere = compose(["engine=stub", "sampling.temperature=0.3", "context_budget=123"])
    assert {node.sampling.temperature for node in everywhere.systems.values()} == {0.3}
    assert {everywhere.systems[name].context_budget for name in ("rag", "hybrid")} == {123}


def test_systems_that_differ_in_more_than_what_makes_them_are_named() -> None:
    def found(*overrides: str) -> list[str]:
        plain = resolved(compose(["engine=stub", *overrides]))
        return differences(plain["systems"], plain["prompt"]["grid"])

    assert found() == found("prompt=controlled") == found("systems=retrieval") == []
    assert found("systems.rag.top_k=8") == ["top_k differs between rag and hybrid"]
    assert found("systems.rag.retriever.mode=dense") == ["retriever differs between rag and hybrid"]
    assert found("systems.finetuned.adapter.rank=4") == []  # the grid stands, without an interaction
    nodes = resolved(compose(["engine=stub", "systems.finetuned.adapter.rank=4"]))["systems"]
    assert separate_adapters(nodes) == ["adapter differs between finetuned and hybrid"]
    assert separate_adapters(resolved(compose(["engine=stub"]))["systems"]) == []
    assert found("systems.rag.prompt.shots=0") == ["prompt differs between prompt and rag"]
    # Fewer examples for tuned systems than for base ones: what the practical grid is, and no controlled one.
    both = ("systems.prompt.prompt.shots=3", "systems.rag.prompt.shots=3")
    assert found(*both) == []
    assert found("prompt=controlled", *both) == ["prompt differs between prompt and finetuned"]
    assert len(found("systems.rag.top_k=8", "systems.rag.context_budget=9")) == 2


def test_variants_differ_on_purpose_and_are_said_to() -> None:
    def found(*overrides: str) -> tuple[list[str], dict[str, Any]]:
        plain = resolved(compose(["engine=stub", *overrides]))
        return differences(plain["systems"], plain["prompt"]["grid"]), variants(plain["systems"])

    assert found() == ([], {})
    unequal, told = found("systems=context")
    assert unequal == []
    assert told["rag_1"] == {"of": "rag", "differs_in": ["top_k"]}
    assert told["rag_100_tokens"] == {"of": "rag", "differs_in": ["context_budget"]}
    assert found("systems=degraded")[1]["rag_dropped"] == {"of": "rag", "differs_in": ["retriever"]}
    # Of the grid where it was run, else of the first of its kind, which is nobody's variant.
    told = found("systems=prompting")[1]
    assert "prompt_bare" not in told
    assert told["prompt_constrained"] == {"of": "prompt_bare", "differs_in": ["prompt", "constrained"]}
    assert found("systems=all", "+system@systems.more=prompt_schema")[1] == {
        "more": {"of": "prompt", "differs_in": ["prompt"]}
    }
    # A variant with other retrieval leaves the grid's four comparable; one of the four with other retrieval does not.
    assert found("systems=all", "+system@systems.worse=rag_degraded")[0] == []
    assert found("systems=all", "systems.rag.top_k=8")[0] == ["top_k differs between rag and hybrid"]


def test_closed_book_a_system_with_retrieval_asks_as_the_one_without(model: Model) -> None:
    made = systems(compose(["engine=stub"]), model)
    for task in (Facts(metrics=(), world=found(2026, 12)), Review(metrics=(), world=found(2026, 12))):
        query = task.samples("test")[0].query
        for without, retrieving in (("prompt", "rag"), ("finetuned", "hybrid")):
            closed = dataclasses.replace(made[retrieving], retriever=OracleRetriever()).prepare(query)
            assert closed.request == made[without].prepare(query).request
            assert (closed.retrieved, closed.shown) == ((), ())
