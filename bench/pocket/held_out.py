"""Conversations that training never reads, and how many of their answers come out right."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.pocket.mixture import MAIN, Mixture, conversations
from bench.pocket.network import forward
from bench.pocket.packing import Encoded, encode, pack
from bench.pocket.skills.recalling import recalling
from bench.world.wording import DONT_KNOW

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def evaluate(model: Any, answers: list[Encoded], tokenizer: PreTrainedTokenizerBase, device: str) -> dict[str, float]:
    """Share of answers whose every token is the model's first choice: what greedy decoding would write."""
    import torch

    right: dict[str, list[bool]] = defaultdict(list)
    refusal = tokenizer(DONT_KNOW + "<|end|>", add_special_tokens=False)["input_ids"]
    for start in range(0, len(answers), 8):
        batch = answers[start : start + 8]
        block = pack(len(batch), 1024, [[item] for item in batch])
        with torch.inference_mode():
            choice = model.lm_head(forward(model, block, device)).argmax(-1).cpu().numpy()
        for row, item in enumerate(batch):
            flags = item.answers
            starts = np.flatnonzero(flags & ~np.roll(flags, 1))
            stops = np.flatnonzero(flags & ~np.roll(flags, -1)) + 1
            for first, last in zip(starts, stops, strict=True):
                hit = bool((choice[row, first - 1 : last - 1] == item.tokens[first:last]).all())
                refused = item.skill == "facts" and item.tokens[first:last].tolist() == refusal
                right["absent" if refused else item.skill].append(hit)
    return {skill: float(np.mean(hits)) for skill, hits in sorted(right.items())}


def held_out(seed: int, tokenizer: PreTrainedTokenizerBase, count: int) -> list[Encoded]:
    """``count`` conversations of the main mixture, and a quarter as many of recalling, under a seed of their own."""

    def some(mixture: Mixture, count: int) -> list[Encoded]:
        encoded = (encode(conversation, tokenizer) for conversation in conversations(f"held-out-{seed}", mixture))
        return list(itertools.islice((item for item in encoded if len(item.tokens) <= 1024), count))

    return some(MAIN, count) + some(((1.0, recalling),), count // 4)
