"""Filling in JSON under keys that the prompt names, most of them made up."""

from __future__ import annotations

import json
import random

from bench.pocket.skills.base import Conversation
from bench.pocket.skills.passages import passages
from bench.world.messages import OPENERS, order
from bench.world.names import Namer
from systems.base import Message, Query
from systems.prompts import PromptBuilder, context_block

VALUE_KEYS = ("result", "value", "finding", "reply", "response", "content", "fact", "output", "solution", "data")
SOURCE_KEYS = ("source", "ref", "origin", "page", "record", "file", "paper", "proof", "basis", "quote_from")
VERSION_KEYS = ("edition", "revision", "issue", "release", "state", "rev", "update", "build", "level")
FIELD_KEYS: dict[str, tuple[str, ...]] = {
    "person": ("name", "sender", "author", "contact", "writer", "customer", "client", "from", "by", "user"),
    "code": ("id", "number", "reference", "ticket", "case", "order", "code", "item", "key"),
    "money": ("sum", "total", "price", "paid", "cost", "charge", "fee", "money"),
    "date": ("date", "day", "when", "time", "ordered", "placed", "on"),
    "weekday": ("call", "weekday", "slot", "meeting", "reach", "appointment"),
}
FIELD_DESCRIPTIONS = {
    "person": ("who writes", "name of the sender", "the writer"),
    "code": ("the order number", "number of the order", "which order"),
    "money": ("the price in euros", "what was paid, in euros", "amount in euros"),
    "date": ("the date of the order", "when it was ordered", "date of purchase"),
    "weekday": ("day for a call", "weekday for a call", "when to call"),
}


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _schema(properties: dict[str, tuple[str, str]]) -> dict[str, object]:
    """Key → (JSON type, description)."""
    return {
        "type": "object",
        "properties": {k: {"type": [t, "null"], "description": d} for k, (t, d) in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def _telling(rng: random.Random) -> str:
    """How the keys are told: as a JSON Schema, as a list with meanings, or by name alone."""
    return rng.choices(("schema", "meanings", "names"), (5, 3, 2))[0]


def _json_instruction(
    properties: dict[str, tuple[str, str]], telling: str, rng: random.Random
) -> tuple[str, dict[str, object] | None]:
    lead = rng.choice(("Reply in JSON.", "Answer with one JSON object.", "Fill in the JSON.", "Return JSON only."))
    if telling == "schema":
        return lead, _schema(properties)
    if telling == "meanings":
        return f"{lead} Keys: " + ", ".join(f"{key} ({text})" for key, (_, text) in properties.items()) + ".", None
    return f"{lead} Keys: " + ", ".join(properties) + ".", None


def made_up_key(rng: random.Random) -> str:
    """A key nobody has seen, often of two words: only the prompt can tell it."""
    letters = "abcdefghijklmnopqrstuvwxyz"

    def word() -> str:
        if rng.random() < 0.5:
            return Namer(rng).word().lower()
        return "".join(rng.choice(letters) for _ in range(rng.randint(2, 7)))

    return "_".join(word() for _ in range(rng.choice((1, 1, 2))))


def choose_key(known: tuple[str, ...], telling: str, rng: random.Random) -> str:
    """A key for a field: more often than not one that has to be copied letter by letter, if its meaning is told."""
    return made_up_key(rng) if telling != "names" and rng.random() < 0.7 else rng.choice(known)


def over_passages(rng: random.Random, count: int) -> Conversation:
    """The value, its document and that document's version, as JSON under keys that the prompt names."""
    telling = _telling(rng)
    value_key, source_key, version_key = (
        choose_key(known, telling, rng) for known in (VALUE_KEYS, SOURCE_KEYS, VERSION_KEYS)
    )
    properties = {
        value_key: ("string", rng.choice(("the value asked for", "what was asked", "the fact"))),
        source_key: ("string", rng.choice(("id of the document", "document id", "which document"))),
        version_key: ("integer", rng.choice(("version of the document", "its version", "version number"))),
    }
    order_of_keys = rng.sample(list(properties), rng.choice((2, 3, 3)))
    if value_key not in order_of_keys:
        order_of_keys[0] = value_key
    properties = {key: properties[key] for key in order_of_keys}
    instruction, schema = _json_instruction(properties, telling, rng)
    pages, shown = passages(count, rng)
    block = context_block([page.chunk for page in shown])
    builder = PromptBuilder(schema=schema is not None)
    messages: list[Message] = []
    own_passages = rng.random() < 0.3  # every turn brings its own, as few-shot examples do
    for turn in range(rng.randint(1, 4)):
        if own_passages and turn > 0:
            pages, shown = passages(rng.randint(1, 4), rng)
            block = context_block([page.chunk for page in shown])
        question, number, page, value = pages.question(shown, unanswerable=0.2)
        known = {value_key: value, source_key: page.entity.id, version_key: page.entity.version}
        answer = _dumps({key: known[key] if number else None for key in properties})
        if turn == 0:
            query = Query(text=block + question, instruction=instruction, schema=schema)
            messages.extend(builder.messages(query))
        else:
            messages.append(Message(role="user", content=(block if own_passages else "") + question))
        messages.append(Message(role="assistant", content=answer))
    return Conversation(tuple(messages), "json passages")


def from_text(rng: random.Random) -> Conversation:
    """What stands in a message, as JSON under keys that the prompt names."""
    namer = Namer(rng)
    kinds = rng.sample(list(FIELD_KEYS), rng.randint(2, 5))
    telling = _telling(rng)
    keys = {kind: choose_key(FIELD_KEYS[kind], telling, rng) for kind in kinds}
    as_number = rng.random() < 0.6
    properties = {
        key: ("integer" if kind == "money" and as_number else "string", rng.choice(FIELD_DESCRIPTIONS[kind]))
        for kind, key in keys.items()
    }
    instruction, schema = _json_instruction(properties, telling, rng)
    builder = PromptBuilder(schema=schema is not None)
    messages: list[Message] = []
    for _ in range(rng.randint(2, 4)):
        message = order(rng.choice(tuple(OPENERS)), rng, namer, absent=0.25)
        fields: dict[str, object] = {}
        for kind, key in keys.items():
            value = message.values[kind]
            fields[key] = int(value.split()[0]) if value and kind == "money" and as_number else value
        if not messages:
            messages.extend(builder.messages(Query(text=message.text, instruction=instruction, schema=schema)))
        else:
            distraction = ""
            if rng.random() < 0.15:  # a retriever always finds something, also where nothing is of use
                distraction = context_block([page.chunk for page in passages(rng.randint(1, 3), rng)[1]])
            messages.append(Message(role="user", content=distraction + message.text))
        messages.append(Message(role="assistant", content=_dumps(fields)))
    return Conversation(tuple(messages), "json text")
