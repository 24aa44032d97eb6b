"""Sorting messages by a rule that the prompt tells or shows."""

from __future__ import annotations

import random

from bench.pocket.skills.base import Conversation
from bench.world.documents import desk_rule
from bench.world.messages import OPENERS, TOPICS, ticket
from bench.world.names import Namer
from systems.base import Chunk, Message
from systems.prompts import context_block


def routing(rng: random.Random) -> Conversation:
    """Which desk takes a message: the desks are named in a list or in passages, or shown by examples."""
    namer = Namer(rng)
    topics = rng.sample(TOPICS, rng.randint(3, len(TOPICS)))
    desks = {topic.name: namer.word() for topic in topics}
    told = rng.choice(("list", "passages", "examples"))
    listed = ", ".join(f"{desks[topic.name]} ({topic.description})" for topic in topics)
    names = ", ".join(desks.values())
    lead = rng.choice(
        ("Which desk takes the message?", "Route the message to a desk.", "Name the desk for the message.")
    )
    instruction = f"{lead} Desks: {listed}." if told == "list" else f"{lead} Desks: {names}."
    messages = [Message(role="system", content=instruction)]
    turns = rng.randint(2, 5) if told != "examples" else rng.randint(5, 9)
    guides = [
        Chunk(id="", title=f"{desks[t.name]} desk", text=desk_rule(desks[t.name], t.description, rng))
        for t in rng.sample(topics, min(len(topics), 5))
    ]
    told_topics = [t for t in topics if any(g.title == f"{desks[t.name]} desk" for g in guides)]
    for turn in range(turns):
        topic = rng.choice(told_topics if told == "passages" else topics)
        text, _ = ticket(topic, namer.word(), rng.choice(tuple(OPENERS)), rng)
        block = context_block(guides) if told == "passages" and turn == 0 else ""
        messages.append(Message(role="user", content=block + text))
        messages.append(Message(role="assistant", content=desks[topic.name]))
    return Conversation(tuple(messages), "routing")
