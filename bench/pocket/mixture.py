"""What the pocket model reads: conversations over passages of other worlds, made endlessly from a seed.

The skills are those of a small instruction-tuned model: copy, read a value out of the right passage and
cite it, say when it is not there, fill in JSON under keys named in the prompt, sort messages by a guide.
Facts change with every world, so none can be learned by heart; the company that the suites are about,
its schemas and its desks are not among them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.world.company import Company, Entity, Fact, found
from bench.world.documents import LEVELS, desk_rule, section, title
from bench.world.messages import OPENERS, TOPICS, order, ticket
from bench.world.names import Namer
from bench.world.schema import Attribute
from bench.world.values import KINDS
from bench.world.wording import FRAMES, ask
from systems.base import Chunk, Message, Query
from systems.prompts import PromptBuilder, context_block

DONT_KNOW = "I don't know."
ALL_FRAMES = tuple(frame for frames in FRAMES.values() for frame in frames)

FACT_INSTRUCTIONS = (
    "Answer the question. Use the passages if there are any, and cite the one you used like [1]. "
    "If you do not know, say: I don't know.",
    "Answer in a few words from the passages and cite the passage, as in [2]. Say \"I don't know.\" if it is not "
    "there.",
    "Give the value asked for with its source in brackets. Without an answer, say: I don't know.",
    "You are a helpful assistant. Answer briefly, cite like [1], and say I don't know. when the answer is not given.",
    "Answer the question from the passages.",
)  # fmt: skip
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


@dataclass(frozen=True)
class Conversation:
    """Messages that end with an answer; the loss counts in full on every answer."""

    messages: tuple[Message, ...]
    skill: str


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


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


@dataclass(frozen=True)
class _Page:
    """A passage and the facts it states."""

    entity: Entity
    facts: tuple[Fact, ...]
    chunk: Chunk


class _Pages:
    """Passages of one world, and which of them a retriever would confuse."""

    def __init__(self, company: Company, rng: random.Random) -> None:
        self.company = company
        self.rng = rng
        by_section: dict[tuple[str, str], list[Fact]] = {}
        for fact in company.facts:
            by_section.setdefault((fact.entity.id, fact.attribute.section), []).append(fact)
        self.pages = [self._page(facts) for facts in by_section.values()]
        self.stated = {(fact.entity.id, fact.attribute.name) for fact in company.facts}

    def _page(self, facts: list[Fact]) -> _Page:
        entity = facts[0].entity
        text = section(facts, self.rng, LEVELS[2 if self.rng.random() < 0.15 else 1])
        chunk = Chunk(id="", title=f"{title(entity)} - {facts[0].attribute.section}", text=text)
        return _Page(entity, tuple(facts), chunk)

    def draw(self, count: int) -> list[_Page]:
        """``count`` passages as a retriever would return them for a question on the first: look-alikes."""
        first = self.rng.choice(self.pages)
        alike = [page for page in self.pages if page is not first and (
            page.entity is first.entity
            or (page.entity.kind is first.entity.kind
                and page.facts[0].attribute.section == first.facts[0].attribute.section))]  # fmt: skip
        others = [page for page in self.pages if page is not first and page not in alike]
        self.rng.shuffle(alike)
        self.rng.shuffle(others)
        hard = min(len(alike), sum(self.rng.random() < 0.8 for _ in range(count - 1)))
        chosen = [first, *alike[:hard], *others[: count - 1 - hard]]
        self.rng.shuffle(chosen)
        return chosen

    def question(self, shown: list[_Page], unanswerable: float) -> tuple[str, int, _Page, str]:
        """Question, passage number (0: not there), page and value for the shown passages."""
        if self.rng.random() >= unanswerable:
            number = self.rng.randrange(len(shown))
            fact = self.rng.choice(shown[number].facts)
            return self._ask(fact.entity, fact.attribute), number + 1, shown[number], fact.value
        visible = {(fact.entity.id, fact.attribute.name) for page in shown for fact in page.facts}
        while True:
            page = self.rng.choice(shown)
            attribute = self.rng.choice(page.entity.kind.attributes)
            entity = page.entity
            if self.rng.random() < 0.4:  # the attribute stands there, but of another entity
                candidates = (*self.company.entities, *self.company.strangers)
                entity = self.rng.choice([other for other in candidates if other.kind is page.entity.kind])
            if (entity.id, attribute.name) not in visible:
                return self._ask(entity, attribute), 0, page, ""

    def _ask(self, entity: Entity, attribute: Attribute) -> str:
        return ask(entity, attribute, self.rng.choice(ALL_FRAMES), self.rng).text


def _passages(count: int, rng: random.Random) -> tuple[_Pages, list[_Page]]:
    pages = _Pages(found(rng.getrandbits(48), entities=rng.choice((12, 18, 24))), rng)
    return pages, pages.draw(count)


def facts(rng: random.Random, count: int, turns: int) -> Conversation:
    """Several questions over one set of passages; a quarter of them have no answer there."""
    pages, shown = _passages(count, rng)
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
        pages, shown = _passages(count, rng)
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


def _schema(properties: dict[str, tuple[str, str]]) -> dict[str, object]:
    """Key → (JSON type, description)."""
    return {
        "type": "object",
        "properties": {k: {"type": [t, "null"], "description": d} for k, (t, d) in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def _json_instruction(
    properties: dict[str, tuple[str, str]], rng: random.Random
) -> tuple[str, dict[str, object] | None]:
    """How the keys are told: as a JSON Schema, as a list with meanings, or by name alone."""
    style = rng.random()
    lead = rng.choice(("Reply in JSON.", "Answer with one JSON object.", "Fill in the JSON.", "Return JSON only."))
    if style < 0.5:
        return lead, _schema(properties)
    if style < 0.8:
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


def choose_key(known: tuple[str, ...], rng: random.Random) -> str:
    """A key for a field: more often than not one that has to be copied letter by letter."""
    return made_up_key(rng) if rng.random() < 0.7 else rng.choice(known)


def json_over_passages(rng: random.Random, count: int) -> Conversation:
    """The value, its document and that document's version, as JSON under keys that the prompt names."""
    value_key, source_key, version_key = (
        choose_key(VALUE_KEYS, rng),
        choose_key(SOURCE_KEYS, rng),
        choose_key(VERSION_KEYS, rng),
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
    instruction, schema = _json_instruction(properties, rng)
    pages, shown = _passages(count, rng)
    block = context_block([page.chunk for page in shown])
    builder = PromptBuilder(schema=schema is not None)
    messages: list[Message] = []
    own_passages = rng.random() < 0.3  # every turn brings its own, as few-shot examples do
    for turn in range(rng.randint(1, 4)):
        if own_passages and turn > 0:
            pages, shown = _passages(rng.randint(1, 4), rng)
            block = context_block([page.chunk for page in shown])
        question, number, page, value = pages.question(shown, unanswerable=0.2)
        known = {value_key: value, source_key: page.entity.id, version_key: page.entity.version}
        answer = dumps({key: known[key] if number else None for key in properties})
        if turn == 0:
            query = Query(text=block + question, instruction=instruction, schema=schema)
            messages.extend(builder.messages(query))
        else:
            messages.append(Message(role="user", content=(block if own_passages else "") + question))
        messages.append(Message(role="assistant", content=answer))
    return Conversation(tuple(messages), "json passages")


def json_from_text(rng: random.Random) -> Conversation:
    """What stands in a message, as JSON under keys that the prompt names."""
    namer = Namer(rng)
    kinds = rng.sample(list(FIELD_KEYS), rng.randint(2, 5))
    keys = {kind: choose_key(FIELD_KEYS[kind], rng) for kind in kinds}
    as_number = rng.random() < 0.6
    properties = {
        key: ("integer" if kind == "money" and as_number else "string", rng.choice(FIELD_DESCRIPTIONS[kind]))
        for kind, key in keys.items()
    }
    instruction, schema = _json_instruction(properties, rng)
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
                distraction = context_block([page.chunk for page in _passages(rng.randint(1, 3), rng)[1]])
            messages.append(Message(role="user", content=distraction + message.text))
        messages.append(Message(role="assistant", content=dumps(fields)))
    return Conversation(tuple(messages), "json text")


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


Skill = Callable[[random.Random], Conversation]
WARM_UP: tuple[tuple[float, Skill], ...] = (
    (0.80, copying),
    (0.20, lambda rng: facts(rng, 1, rng.randint(2, 4))),
)
"""First phase: copying, and single passages."""
MAIN: tuple[tuple[float, Skill], ...] = (
    (0.04, copying),
    (0.05, lambda rng: facts(rng, 1, rng.randint(2, 4))),
    (0.12, lambda rng: facts(rng, 2, rng.randint(3, 6))),
    (0.34, lambda rng: facts(rng, rng.randint(3, 5), rng.randint(5, 9))),
    (0.03, lambda rng: facts(rng, rng.randint(6, 10), rng.randint(5, 9))),
    (0.07, shown_then_asked),
    (0.02, unaided),
    (0.14, lambda rng: json_over_passages(rng, rng.randint(1, 5))),
    (0.09, json_from_text),
    (0.10, routing),
)
"""Second phase: all skills; shares are of conversations, not of tokens."""


def conversations(seed: str, mixture: tuple[tuple[float, Skill], ...]) -> Iterator[Conversation]:
    """Conversations without end. The same seed gives the same ones."""
    rng = random.Random(seed)
    weights = [share for share, _ in mixture]
    skills = [skill for _, skill in mixture]
    while True:
        yield rng.choices(skills, weights)[0](rng)
