"""Repeating a text: what teaches attention to look back."""

from __future__ import annotations

import random

from bench.pocket.skills.base import Conversation
from bench.pocket.skills.words import WORDS
from bench.world.messages import TOPICS
from bench.world.names import Namer
from bench.world.values import KINDS
from systems.base import Message

INSTRUCTIONS = ("Repeat the text.", "Say it again.", "Copy the text.")


def copying(rng: random.Random) -> Conversation:
    """A dense, unpredictable text of names, values and topics."""
    namer = Namer(rng)
    kinds = list(KINDS.values())
    words = [
        rng.choice((namer.word, lambda: rng.choice(kinds).draw(rng, namer), lambda: rng.choice(TOPICS).description))()
        for _ in range(rng.randint(2, rng.choice((4, 8, 24))))
    ]
    return _repeated(" ".join(words), rng)


def copying_words(rng: random.Random) -> Conversation:
    """Plain words in no order: one token back tells the next, so looking back forms on these first.

    Names do not serve for that: their first letters are few, and the one space before each of them says nothing.
    Most texts are short: among six words the right one to look at is found by chance, among sixty it is not.
    """
    return _repeated(" ".join(rng.choices(WORDS, k=rng.randint(3, rng.choice((6, 12, 60))))), rng)


def _repeated(text: str, rng: random.Random) -> Conversation:
    messages = (
        Message(role="system", content=rng.choice(INSTRUCTIONS)),
        Message(role="user", content=text),
        Message(role="assistant", content=text),
    )
    return Conversation(messages, "copy")
