"""Conversations to token blocks of fixed shapes: no padding to speak of, and no block sees another's text."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.pocket.skills.base import Conversation

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Encoded:
    """A conversation as tokens; ``answers`` marks the tokens a model has to produce."""

    tokens: np.ndarray
    answers: np.ndarray
    skill: str


@dataclass(frozen=True)
class Block:
    """Rows of packed conversations. All arrays have the shape (rows, length)."""

    tokens: np.ndarray
    answers: np.ndarray
    documents: np.ndarray
    """Which conversation of the row a token belongs to; -1 where nothing stands."""
    positions: np.ndarray
    """Position within its conversation."""


def encode(conversation: Conversation, tokenizer: PreTrainedTokenizerBase) -> Encoded:
    """Tokens as the chat template writes them, with every answer and its end mark flagged."""
    pieces, flags = [], []
    for message in conversation.messages:
        text = f"<|{message.role}|>"
        answer = message.role == "assistant"
        pieces += [text, message.content + "<|end|>"]
        flags += [False, answer]
    ids = tokenizer(pieces, add_special_tokens=False)["input_ids"]
    return Encoded(
        np.concatenate([np.asarray(part, dtype=np.int64) for part in ids]),
        np.concatenate([np.full(len(part), flag) for part, flag in zip(ids, flags, strict=True)]),
        conversation.skill,
    )


def pack(rows: int, length: int, members: list[list[Encoded]]) -> Block:
    """Lay out ``members[row]`` one after the other."""
    shape = (rows, length)
    tokens, answers = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    documents, positions = np.full(shape, -1, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, encoded in enumerate(members):
        start = 0
        for number, item in enumerate(encoded):
            stop = start + len(item.tokens)
            tokens[row, start:stop], answers[row, start:stop] = item.tokens, item.answers
            documents[row, start:stop], positions[row, start:stop] = number, np.arange(stop - start)
            start = stop
    return Block(tokens, answers, documents, positions)


def blocks(stream: Iterator[Encoded], budget: int, lengths: tuple[int, ...], seed: int) -> Iterator[Block]:
    """Blocks of ``budget`` tokens each, in rows of one of ``lengths`` (ascending), first fit from pools.

    A conversation goes to the pool of the shortest length that holds it; longer ones than all lengths are
    left out. A block is given out when a pool can fill it, and the room that long conversations leave at
    the ends of their rows is filled with shorter ones.
    """
    rng = random.Random(seed)
    pools: dict[int, list[Encoded]] = {length: [] for length in lengths}
    while True:
        item = next(stream)
        length = next((length for length in lengths if len(item.tokens) <= length), None)
        if length is None:
            continue
        pools[length].append(item)
        rows = budget // length
        ready = 1.6 * budget if length == lengths[0] else rows * length * 0.6
        if sum(len(member.tokens) for member in pools[length]) < ready:
            continue
        members: list[list[Encoded]] = [[] for _ in range(rows)]
        room = [length] * rows
        for shorter in sorted((known for known in lengths if known <= length), reverse=True):
            left = []
            for member in sorted(pools[shorter], key=lambda member: -len(member.tokens)):
                size = len(member.tokens)
                row = min((r for r in range(rows) if room[r] >= size), key=lambda r: room[r], default=None)
                if row is None:
                    left.append(member)
                else:
                    members[row].append(member)
                    room[row] -= size
            rng.shuffle(left)
            pools[shorter] = left
        yield pack(rows, length, members)
