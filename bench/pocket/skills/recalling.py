"""Saying what stands beside a name in a list: what teaches attention to match names, and to miss them."""

from __future__ import annotations

import random

from bench.pocket.skills.base import Conversation
from bench.world.names import Namer
from bench.world.values import KINDS
from bench.world.wording import DONT_KNOW
from systems.base import Message

INSTRUCTIONS = (
    "Say what stands beside the name. If it is not there, say: I don't know.",
    "Read from the list. Say \"I don't know.\" if it does not have the name.",
)  # fmt: skip
QUESTIONS = (
    "{e}?",
    "{e}?",
    "And {e}?",
    "{e}, please.",
    "What about {e}?",
    "What does {e} have?",
    "Look up {e} for me.",
)


def recalling(rng: random.Random, absent: float = 0.15) -> Conversation:
    """Many questions over one short list, so that nearly every token read is one that needs the match."""
    namer = Namer(rng)
    count = rng.randint(2, rng.choice((3, 5, 9)))
    draw = namer.word if rng.random() < 0.7 else namer.person
    names, strangers = [draw() for _ in range(count)], [draw() for _ in range(4)]
    if rng.random() < 0.5:
        values = [f"[{number}]" for number in range(1, count + 1)]
        lines = [f"{value} {name}" for name, value in zip(names, values, strict=True)]
    else:
        drawn = KINDS[rng.choice(list(KINDS))]
        values = [drawn.draw(rng, namer) for _ in names]
        lines = [f"{name}: {value}" for name, value in zip(names, values, strict=True)]
    known = dict(zip(names, values, strict=True))
    messages = [Message(role="system", content=rng.choice(INSTRUCTIONS))]
    for turn in range(rng.randint(8, 16)):
        name = rng.choice(strangers if rng.random() < absent else names)
        question = rng.choice(QUESTIONS).format(e=name)
        shown = "\n".join(lines) + "\n\n" if turn == 0 else ""
        messages.append(Message(role="user", content=shown + question))
        messages.append(Message(role="assistant", content=known.get(name, DONT_KNOW)))
    return Conversation(tuple(messages), "recall")
