"""The one prompt builder: retrieval adds the context block, training adds the answer, and neither anything else."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from systems.base import Chunk, Example, Message, Query, UserError
from systems.model import Model
from systems.prompts import STEPS, PromptBuilder, citations, compact_schema, context_block
from systems.tuning.examples import TrainingExample, token_examples
from tests.tiny import write_model

TEXT = st.text(max_size=40)
EXAMPLES = st.lists(st.builds(Example, query=TEXT, answer=TEXT), max_size=3).map(tuple)
SCHEMA = st.none() | st.fixed_dictionaries({"type": st.just("object"), "title": TEXT, "properties": st.just({"a": {}})})
QUERIES = st.builds(Query, text=TEXT, instruction=TEXT, guidance=TEXT, schema=SCHEMA, examples=EXAMPLES)
PASSAGES = st.lists(st.builds(Chunk, id=TEXT, text=TEXT, title=TEXT), max_size=4)
BUILDERS = st.builds(
    PromptBuilder,
    name=TEXT,
    guidance=st.booleans(),
    schema=st.booleans(),
    shots=st.integers(min_value=0, max_value=4),
    reasoning=st.booleans(),
)


@given(QUERIES, PASSAGES, BUILDERS)
def test_without_its_context_block_a_prompt_is_the_one_without_retrieval(
    query: Query, passages: list[Chunk], builder: PromptBuilder
) -> None:
    plain, shown = builder.messages(query), builder.messages(query, passages)
    block = context_block(passages)
    assert shown[:-1] == plain[:-1]
    assert shown[-1].content == block + plain[-1].content
    assert dataclasses.replace(shown[-1], content=shown[-1].content.removeprefix(block)) == plain[-1]
    assert (block == "") == (not passages)


@given(QUERIES, PASSAGES, PASSAGES, BUILDERS)
def test_other_passages_change_the_context_block_alone(
    query: Query, one: list[Chunk], two: list[Chunk], builder: PromptBuilder
) -> None:
    first, second = builder.messages(query, one), builder.messages(query, two)
    assert first[:-1] == second[:-1]
    assert first[-1].content[len(context_block(one)) :] == second[-1].content[len(context_block(two)) :] == query.text


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model"))


@settings(max_examples=40, deadline=None)
@given(QUERIES, st.text(max_size=30), PASSAGES, BUILDERS)
def test_a_training_example_is_the_prompt_and_its_answer(
    model: Model, query: Query, answer: str, passages: list[Chunk], builder: PromptBuilder
) -> None:
    lesson = TrainingExample(query=query, answer=answer, passages=tuple(passages))
    [example] = token_examples([lesson], builder, model, 10_000)
    assert list(example.prompt) == model.encode(builder.messages(query, passages))
    tokens = model.tokenizer(answer, add_special_tokens=False)["input_ids"]
    assert list(example.completion) == [*tokens, model.tokenizer.eos_token_id]


def test_a_training_example_that_is_too_long_is_left_out_whole(model: Model) -> None:
    # Cut, it might cite a passage that is gone.
    query = Query(text="What is it?", instruction="Answer.")
    passages = tuple(Chunk(id=str(n), text=f"It is {n}.") for n in range(4))
    lesson = TrainingExample(query=query, answer="It is 3. [4]", passages=passages)
    builder = PromptBuilder()
    [example] = token_examples([lesson], builder, model, 10_000)
    length = len(example.prompt) + len(example.completion)
    assert list(token_examples([lesson], builder, model, length)) == [example]
    assert list(token_examples([lesson], builder, model, length - 1)) == []


def test_the_full_prompt_as_it_stands() -> None:
    query = Query(
        text="Fee?",
        instruction="Answer.",
        guidance="Be brief.",
        schema={"$schema": "x", "type": "object", "title": "t"},
        examples=(Example(query="q1", answer="a1"), Example(query="q2", answer="a2")),
    )
    passages = [Chunk(id="1", title="Plan", text="Fee 4."), Chunk(id="2", text="No title.")]
    assert PromptBuilder(guidance=True, schema=True, shots=1).messages(query, passages) == (
        Message(role="system", content='Answer.\nBe brief.\nJSON Schema of the answer: {"type": "object"}'),
        Message(role="user", content="q1"),
        Message(role="assistant", content="a1"),
        Message(role="user", content="Passages:\n[1] Plan: Fee 4.\n[2] No title.\n\nFee?"),
    )
    assert PromptBuilder().messages(query) == (
        Message(role="system", content="Answer."),
        Message(role="user", content="Fee?"),
    )


def test_where_nothing_is_asked_besides_there_is_no_system_message() -> None:
    assert PromptBuilder().messages(Query(text="Hi.")) == (Message(role="user", content="Hi."),)


def test_asking_for_steps_changes_the_end_of_the_system_message_and_the_form_of_examples() -> None:
    query = Query(text="Fee?", instruction="Answer.", examples=(Example(query="q1", answer="a1"),), max_tokens=24)
    usual, asked = PromptBuilder(shots=1), PromptBuilder(shots=1, reasoning=True, reasoning_tokens=100)
    assert asked.messages(query) == (
        Message(role="system", content=f"Answer.\n{STEPS}"),
        Message(role="user", content="q1"),
        Message(role="assistant", content="Final answer: a1"),
        Message(role="user", content="Fee?"),
    )
    assert (usual.max_tokens(query), asked.max_tokens(query)) == (24, 124)


@pytest.mark.parametrize(
    ("written", "steps", "answer"),
    [
        ("It says 12 [1].\nFinal answer: 12 euros [2]", "It says 12 [1].", "12 euros [2]"),
        ('So.\n**Final answer:** {"a":\n 1}\n', "So.", '{"a":\n 1}'),
        ("So the final answer: 4. No.\nFINAL ANSWER: 5", "So the final answer: 4. No.", "5"),
        ("Final answer: 5", "", "5"),
        ("Steps.\nFinal answer:", "Steps.", ""),
        ("Only steps, and then no more room", "", "Only steps, and then no more room"),
        ("My semifinal answer: 5", "", "My semifinal answer: 5"),
        ("", "", ""),
    ],
)
def test_the_answer_is_what_follows_the_last_mark(written: str, steps: str, answer: str) -> None:
    assert PromptBuilder(reasoning=True).split(written) == (steps, answer)
    # Nobody who was not asked for steps is read that way.
    assert PromptBuilder().split(written) == ("", written)


def test_citations_are_numbers_in_order_each_once() -> None:
    assert citations("As [2] and [1] say [2]. [x] [ 3 ] [12]") == (2, 1, 12)
    assert compact_schema({"$id": "i", "type": "object"}) == '{"type": "object"}'


def test_shots_below_nothing_are_refused() -> None:
    with pytest.raises(UserError, match=r"prompt\.shots=-1: must be 0 or more"):
        PromptBuilder(shots=-1)
    with pytest.raises(UserError, match=r"prompt\.reasoning_tokens=0: must be 1 or more"):
        PromptBuilder(reasoning_tokens=0)
