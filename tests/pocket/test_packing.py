"""Packing: rows hold whole conversations, answers are marked, and no conversation sees another."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from bench.pocket.network import forward, loss_of
from bench.pocket.packing import Encoded, blocks, encode, pack
from bench.pocket.skills.base import Conversation
from systems.base import Message
from tests.tiny import RECIPE, network, tokenizer


def item(*lengths: int, first: int = 10) -> Encoded:
    """A made-up conversation: prompt and answer lengths in turn."""
    tokens = np.arange(first, first + sum(lengths), dtype=np.int64)
    answers = np.concatenate([np.full(length, bool(turn % 2)) for turn, length in enumerate(lengths)])
    return Encoded(tokens, answers, "made up")


def test_a_conversation_is_encoded_as_the_engine_sends_it() -> None:
    messages = (
        Message(role="system", content="Answer."),
        Message(role="user", content="Fee of Zorvath?"),
        Message(role="assistant", content="12 euros [1]"),
        Message(role="user", content="And \n\t 'é'?"),
        Message(role="assistant", content="I don't know."),
    )
    encoded = encode(Conversation(messages, "facts"), tokenizer())
    turns = [{"role": message.role, "content": message.content} for message in messages]
    whole = tokenizer().apply_chat_template(turns, tokenize=False)
    assert encoded.tokens.tolist() == tokenizer()(whole, add_special_tokens=False)["input_ids"]
    marked = tokenizer().decode(encoded.tokens[encoded.answers])
    assert marked == "12 euros [1]<|end|>I don't know.<|end|>"
    # Up to the first answer it is the prompt of an engine.
    prompt = tokenizer().apply_chat_template(turns[:2], tokenize=False, add_generation_prompt=True)
    ids = tokenizer()(prompt, add_special_tokens=False)["input_ids"]
    assert encoded.tokens[: len(ids)].tolist() == ids


def test_rows_are_laid_out_one_conversation_after_the_other() -> None:
    block = pack(2, 8, [[item(2, 1), item(3, 1, first=30)], [item(1, 1, first=50)]])
    assert block.tokens.tolist() == [[10, 11, 12, 30, 31, 32, 33, 0], [50, 51, 0, 0, 0, 0, 0, 0]]
    assert block.documents.tolist() == [[0, 0, 0, 1, 1, 1, 1, -1], [0, 0, -1, -1, -1, -1, -1, -1]]
    assert block.positions.tolist() == [[0, 1, 2, 0, 1, 2, 3, 0], [0, 1, 0, 0, 0, 0, 0, 0]]
    assert np.flatnonzero(block.answers[0]).tolist() == [2, 6]


def test_blocks_hold_conversations_whole_and_once() -> None:
    sizes = [296, 40, 512, 96, 1025, 24, 224, 700, 352, 72, 264, 150, 330, 610, 88]

    def stream() -> Iterator[Encoded]:
        for number, size in enumerate(itertools.cycle(sizes), 1):
            yield Encoded(np.full(size, number), np.zeros(size, dtype=bool), "s")

    first, again = (list(itertools.islice(blocks(stream(), 4096, (512, 1024), seed=1), 20)) for _ in range(2))
    assert all((one.tokens == two.tokens).all() for one, two in zip(first, again, strict=True))
    for block in first:
        assert block.tokens.shape in ((8, 512), (4, 1024))
        # Long rows hold nothing short: only conversations that fit no shorter row.
        assert (block.tokens > 0).mean() > (0.85 if block.tokens.shape[1] == 512 else 0.6)
    numbers, counts = np.unique(np.concatenate([b.tokens[b.tokens > 0] for b in first]), return_counts=True)
    for number, count in zip(numbers, counts, strict=True):
        assert count == sizes[(number - 1) % len(sizes)] <= 1024  # the one of 1025 fits no row
    assert len(numbers) > 0.6 * numbers.max()


def test_a_packed_conversation_is_read_as_if_it_stood_alone() -> None:
    import torch

    conversations = [item(5, 3), item(7, 2, first=100), item(4, 4, first=200)]
    packed = pack(1, 32, [conversations])
    with torch.inference_mode():
        together = network().lm_head(forward(network(), packed, "cpu"))[0]
        start = 0
        for conversation in conversations:
            size = len(conversation.tokens)
            alone = network().lm_head(forward(network(), pack(1, size, [[conversation]]), "cpu"))[0]
            assert torch.allclose(together[start : start + size], alone, atol=1e-5)
            # And as transformers reads it, without any mask of ours.
            plain = network()(input_ids=torch.from_numpy(conversation.tokens)[None]).logits[0]
            assert torch.allclose(alone, plain, atol=1e-5)
            start += size
        # The check can fail: with all in one conversation the later ones do see the earlier.
        merged = dataclasses.replace(packed, documents=np.where(packed.documents >= 0, 0, -1))
        seen = network().lm_head(forward(network(), merged, "cpu"))[0]
        assert torch.allclose(seen[:8], together[:8], atol=1e-5)
        assert not torch.allclose(seen[8:25], together[8:25], atol=1e-3)


def test_the_loss_of_answers_is_the_mean_over_their_tokens() -> None:
    import torch

    recipe = dataclasses.replace(RECIPE, context_loss_share=0.0)
    conversations = [item(5, 3), item(7, 2, first=100)]
    with torch.inference_mode():
        loss = loss_of(network(), pack(1, 20, [conversations]), recipe, "cpu", np.random.default_rng(1))
        by_hand = []
        for conversation in conversations:
            tokens = torch.from_numpy(conversation.tokens)
            chances = network()(input_ids=tokens[None]).logits[0].log_softmax(-1)
            by_hand += [-chances[at - 1, tokens[at]].item() for at in np.flatnonzero(conversation.answers)]
    assert len(by_hand) == 5
    assert float(loss) == pytest.approx(sum(by_hand) / 5, rel=1e-4)


def test_answers_can_be_cut_out_of_any_row() -> None:
    stream = itertools.repeat(item(9, 3))
    block = next(blocks(stream, 64, (16, 32), seed=0))
    assert block.answers.sum() == 3 * (block.positions == 11).sum()
