"""Reading a value out of the right passage, citing it, and saying when it is not there."""

from __future__ import annotations

import random

from bench.pocket.skills.base import Conversation
from bench.pocket.skills.passages import ALL_FRAMES, passages
from bench.world.company import found
from bench.world.wording import DONT_KNOW, ask
from systems.base import Message
from systems.prompts import context_block

FACT_INSTRUCTIONS = (
    "Answer the question. Use the passages if there are any, and cite the one you used like [1]. "
    "If you do not know, say: I don't know.",
    "Answer in a few words from the passages and cite the passage, as in [2]. Say \"I don't know.\" if it is not "
    "there.",
    "Give the value asked for with its source in brackets. Without an answer, say: I don't know.",
    "You are a helpful assistant. Answer briefly, cite like [1], and say I don't know. when the answer is not given.",
    "Answer the question from the passages.",
)  # fmt: skip


def facts(rng: random.Random, count: int, turns: int, alike: bool = False) -> Conversation:
    """Several questions over one set of passages; a quarter of them have no answer there."""
    pages, shown = passages(count, rng, alike)
    block = context_block([page.chunk for page in shown])
    messages = [Message(role="system", content=rng.choice(FACT_INSTRUCTIONS))]
    for turn in range(turns):
        question, number, _, value = pages.question(shown, unanswerable=0.27)
        messages.append(Message(role="user", content=(block if turn == 0 else "") + question))
        messages.append(Message(role="assistant", content=f"{value} [{number}]" if number else DONT_KNOW))
    return Conversation(tuple(messages), "facts")


def shown_then_asked(rng: random.Random) -> Conversation:
    """Each turn with passages of its own, as few-shot examples have."""
    messages = [Message(role="system", content=rng.choice(FACT_INSTRUCTIONS))]
    for count in (1, 1, rng.randint(3, 5)):
        pages, shown = passages(count, rng)
        question, number, _, value = pages.question(shown, unanswerable=0.3)
        messages.append(Message(role="user", content=context_block([page.chunk for page in shown]) + question))
        messages.append(Message(role="assistant", content=f"{value} [{number}]" if number else DONT_KNOW))
    return Conversation(tuple(messages), "facts")


def unaided(rng: random.Random) -> Conversation:
    """Questions with no passage at all: nobody told, so nobody knows."""
    company = found(rng.getrandbits(48), entities=12)
    messages = [Message(role="system", content=rng.choice(FACT_INSTRUCTIONS))]
    for _ in range(rng.randint(1, 3)):
        fact = rng.choice(company.facts)
        messages.append(
            Message(role="user", content=ask(fact.entity, fact.attribute, rng.choice(ALL_FRAMES), rng).text)
        )
        messages.append(Message(role="assistant", content=DONT_KNOW))
    return Conversation(tuple(messages), "unaided")
