"""Saying which passages are about an entity: what teaches to tell passages apart by a name alone."""

from __future__ import annotations

import random

from bench.pocket.skills.base import Conversation
from bench.pocket.skills.passages import passages
from bench.world.wording import DONT_KNOW
from systems.base import Message
from systems.prompts import context_block

INSTRUCTIONS = (
    "Say which passages are about it, like [1]. If there is none, say: I don't know.",
    "Name the passages, as in [2] [3]. Say \"I don't know.\" if it is not there.",
)  # fmt: skip
QUESTIONS = (
    "Which passages are about {e}?",
    "Where does it speak of {e}?",
    "Find {e}.",
    "Who mentions {e}?",
    "Is there anything on {e}?",
)


def locating(rng: random.Random, count: int, turns: int) -> Conversation:
    """Several names over one set of passages; some stand in none of them."""
    pages, shown = passages(count, rng, alike=rng.random() < 0.5)
    messages = [Message(role="system", content=rng.choice(INSTRUCTIONS))]
    present = [page.entity for page in shown]
    others = [entity for entity in (*pages.company.entities, *pages.company.strangers) if entity not in present]
    for turn in range(turns):
        entity = rng.choice(others if rng.random() < 0.25 else present)
        numbers = [number for number, page in enumerate(shown, 1) if page.entity is entity]
        block = context_block([page.chunk for page in shown]) if turn == 0 else ""
        question = rng.choice(QUESTIONS).format(e=entity.name)
        messages.append(Message(role="user", content=block + question))
        answer = " ".join(f"[{number}]" for number in numbers) or DONT_KNOW
        messages.append(Message(role="assistant", content=answer))
    return Conversation(tuple(messages), "locating")
