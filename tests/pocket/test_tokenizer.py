"""The pocket tokenizer: a value is one sequence of tokens wherever it stands, and any text comes back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.pocket.tokenizer import SPECIAL
from bench.world.names import Namer
from bench.world.values import KINDS
from systems.base import Message
from systems.model import Model
from tests.tiny import RECIPE, tokenizer


def ids(text: str) -> list[int]:
    return list(tokenizer()(text, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"tier"}))
def test_a_value_is_the_same_tokens_after_a_space_a_quote_and_at_the_start(kind: str) -> None:
    rng = random.Random(2)
    namer = Namer(rng)
    for _ in range(40):
        value = KINDS[kind].draw(rng, namer)
        own = ids(value)
        for before in ("The value is ", '{"answer": "', "(", "\n", "[2] "):
            whole = ids(before + value)
            assert whole[-len(own) :] == own, (before, value)
            assert ids(before) == whole[: -len(own)]
        for after in ('"}', ".", " [1]", ", as stated", "\n"):
            assert ids(value + after)[: len(own)] == own, (value, after)


def test_numbers_are_spelt_digit_by_digit() -> None:
    assert [tokenizer().decode(token) for token in ids("4821")] == ["4", "8", "2", "1"]


@given(st.text(max_size=60))
def test_any_text_comes_back(text: str) -> None:
    assert tokenizer().decode(ids(text), skip_special_tokens=False) == text


@given(st.binary(max_size=40))
def test_any_bytes_come_back(data: bytes) -> None:
    text = data.decode("latin-1")
    assert tokenizer().decode(ids(text), skip_special_tokens=False).encode("latin-1") == data


def test_every_byte_has_a_token_and_the_roles_have_theirs() -> None:
    assert [ids(mark) for mark in SPECIAL] == [[0], [1], [2], [3]]
    assert len(tokenizer()) == RECIPE.vocabulary
    assert tokenizer().eos_token_id == 0


def test_a_conversation_as_the_template_writes_it(tiny_model: object) -> None:
    model = Model(name="tiny", path=str(tiny_model))
    encoded = model.encode([Message(role="system", content="Do."), Message(role="user", content="Now.")])
    assert model.tokenizer.decode(encoded) == "<|system|>Do.<|end|><|user|>Now.<|end|><|assistant|>"
