"""Repeating a text: what teaches attention to look back."""

from __future__ import annotations

import random

from bench.pocket.skills.base import Conversation
from bench.world.messages import TOPICS
from bench.world.names import Namer
from bench.world.values import KINDS
from systems.base import Message


def copying(rng: random.Random) -> Conversation:
    """Repeat a dense, unpredictable text: what teaches attention to look back."""
    namer = Namer(rng)
    kinds = list(KINDS.values())
    words = [
        rng.choice((namer.word, lambda: rng.choice(kinds).draw(rng, namer), lambda: rng.choice(TOPICS).description))()
        for _ in range(rng.randint(4, 24))
    ]
    text = " ".join(words)
    instruction = rng.choice(("Repeat the text.", "Say it again.", "Copy the text."))
    return Conversation((*_opening(instruction, text), Message(role="assistant", content=text)), "copy")


def _opening(instruction: str, text: str) -> tuple[Message, Message]:
    return Message(role="system", content=instruction), Message(role="user", content=text)
