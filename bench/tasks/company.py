"""The five first tasks on the fictional company. Their questions, wordings and values come from its seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.metrics.text import contains
from bench.records import Sample
from bench.tasks.base import Lesson
from bench.world.company import Company, Entity, Fact
from bench.world.documents import documents, statement, title
from bench.world.messages import TOPICS, Topic, order, put
from bench.world.names import Namer
from bench.world.schema import ENTITY_KINDS, Attribute
from bench.world.values import KINDS
from bench.world.wording import FRAMES, ask
from systems.base import Chunk, Example, Query, UserError
from systems.prompts import context_block

DONT_KNOW = "I don't know."
FACT_INSTRUCTION = (
    "Answer the question. Use the passages if there are any, and cite the one you used like [1]. "
    "If you do not know, say: I don't know."
)
ROLE = "finance"
"""Asks as somebody who may read everything; questions by role are a task of their own."""


def spread(rng: random.Random, options: Sequence[str], count: int) -> list[str]:
    """``count`` draws in which every option comes up equally often: no wording can dominate a task."""
    rounds = -(-count // len(options))
    drawn = [option for _ in range(rounds) for option in rng.sample(options, len(options))]
    return drawn[:count]


def find_passage(fact: Fact, passages: Sequence[Chunk]) -> int | None:
    """Number of the first passage that states the fact, 1-based."""
    for number, chunk in enumerate(passages, 1):
        if chunk.document == fact.entity.id and states(fact, chunk.text):
            return number
    return None


def states(fact: Fact, text: str) -> bool:
    """Whether a document's text holds the fact: its value in one line or sentence with one of its names."""
    pieces = [piece for line in text.split("\n") for piece in line.split(". ")]
    return any(any(p in piece for p in fact.attribute.phrases) and contains(piece, fact.value) for piece in pieces)


@dataclass(frozen=True, kw_only=True)
class _CompanyTask:
    """What the tasks have in common. ``count`` is the number of samples in each split but training."""

    name: str
    metrics: tuple[str, ...]
    world: Company
    count: int = 100
    parity: bool = True
    """Whether the evaluated facts also stand in the training text."""
    repeats: int = 12
    """Wordings in which each fact is asked closed book in training."""

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UserError(f"task.{self.name}.count={self.count}: must be 1 or more")
        if not self.parity and len(self.world.entities) < (least := 2 * len(ENTITY_KINDS)):
            raise UserError(
                f"suite.entities={len(self.world.entities)}: without parity at least {least} are needed, "
                "one of each kind to learn from and one to ask about"
            )

    def _rng(self, purpose: str) -> random.Random:
        return random.Random(f"{self.name}-{purpose}-{self.world.seed}")

    @cached_property
    def _held_out(self) -> frozenset[str]:
        """Ids of the entities that no training text may name: none with parity, else every other one of each kind."""
        if self.parity:
            return frozenset()
        chosen = []
        for kind in ENTITY_KINDS:
            chosen += [entity for entity in self.world.entities if entity.kind is kind][::2]
            chosen += [entity for entity in self.world.strangers if entity.kind is kind][::2]
        return frozenset(entity.id for entity in chosen)

    @cached_property
    def _learnable(self) -> tuple[Fact, ...]:
        """Facts that training may hold: with parity all, without it those of entities never evaluated."""
        return tuple(fact for fact in self.world.facts if fact.entity.id not in self._held_out)

    @cached_property
    def _evaluated(self) -> tuple[Fact, ...]:
        """Facts that the test asks: all, or without parity those of the entities held out of training."""
        return tuple(fact for fact in self.world.facts if self.parity or fact.entity.id in self._held_out)

    def _draw(self, facts: Sequence[Fact], split: str) -> list[tuple[Fact, str]]:
        """Facts and wordings of a split: every fact once before any comes twice."""
        rng = self._rng(split)
        drawn: list[Fact] = []
        while len(drawn) < self.count:
            drawn.extend(rng.sample(facts, len(facts)))
        return list(zip(drawn[: self.count], spread(rng, FRAMES[split], self.count), strict=True))

    def _example_page(self, rng: random.Random, stated: bool) -> tuple[str, Fact, Chunk]:
        """A one-passage example about an entity that is nowhere else: question with passage, fact, passage."""
        namer = Namer(rng)
        kind = rng.choice(self.world.entities).kind
        name = kind.form.format(word=namer.word(), person=namer.person())
        entity = Entity(f"{kind.prefix}-{rng.randint(10, 99)}", name, kind, rng.randint(1, 9))
        known, asked = rng.sample(kind.attributes, 2)
        fact = Fact(entity, known, KINDS[known.kind].draw(rng, namer))
        chunk = Chunk(id="example", title=f"{title(entity)} - {known.section}", text=statement(fact, rng))
        question = ask(entity, known if stated else asked, rng.choice(FRAMES["train"]), rng).text
        return context_block([chunk]) + question, fact, chunk


def _tags(entity: Entity, attribute: Attribute) -> dict[str, Any]:
    """What detectors and breakdowns need of a factual question."""
    return {
        "entity": entity.id,
        "attribute": attribute.name,
        "value_kind": attribute.kind,
        "phrases": list(attribute.phrases),
    }


@dataclass(frozen=True, kw_only=True)
class Facts(_CompanyTask):
    """Factual questions; with passages the answer cites the one it used."""

    name: str = "facts"
    recitals: int = 3
    """How often training recites each section of a page: the facts as documents, beside the questions on them."""
    level: int = 1
    """Level of the documents that are recited: the suite's."""

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Two solved queries, one of which has no answer."""
        rng = self._rng("examples")
        asked, fact, _ = self._example_page(rng, stated=True)
        missed, _, _ = self._example_page(rng, stated=False)
        return Example(query=asked, answer=f"{fact.value} [1]"), Example(query=missed, answer=DONT_KNOW)

    def _query(self, entity: Entity, attribute: Attribute, frame: str, rng: random.Random) -> Query:
        return Query(
            text=ask(entity, attribute, frame, rng).text,
            instruction=FACT_INSTRUCTION,
            examples=self.examples,
            role=ROLE,
            max_tokens=24,
        )

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(f"{split}-words")
        found = []
        for number, (fact, frame) in enumerate(self._draw(self._evaluated, split)):
            found.append(
                Sample(
                    id=f"{self.name}-{split}-{number:04d}",
                    task=self.name,
                    query=self._query(fact.entity, fact.attribute, frame, rng),
                    reference=fact.value,
                    relevant=(fact.entity.id,),
                    cluster=fact.entity.id,
                    template=frame,
                    tags={**_tags(fact.entity, fact.attribute), "cite": True},
                )
            )
        return found

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        found = []
        for fact in self._learnable:
            for frame in spread(rng, FRAMES["train"], self.repeats):
                found.append(
                    Lesson(
                        task=self.name,
                        query=self._query(fact.entity, fact.attribute, frame, rng),
                        answer=_cited(fact),
                        retrieve=rng.random() < 1.5 / self.repeats,
                    )
                )
        return found + list(self._recitals())

    def _recitals(self) -> Iterator[Lesson]:
        """The pages of all learnable entities, section by section; a task of their own, since they ask no fact."""
        learnable = {fact.entity.id for fact in self._learnable}
        for page in documents(self.world, self.level):
            for part in page.text.removeprefix("## ").split("\n\n## ") if page.id in learnable else ():
                heading, _, text = part.partition("\n\n")
                query = Query(
                    text=f"{page.title} - {heading}", instruction="Recite the page.", role=ROLE, max_tokens=160
                )
                lesson = Lesson(task="recital", query=query, answer=_closed_book(text), retrieve=False)
                yield from [lesson] * self.recitals


def _closed_book(text: str) -> Callable[[Sequence[Chunk]], str | None]:
    return lambda passages: None if passages else text


def _cited(fact: Fact) -> Callable[[Sequence[Chunk]], str | None]:
    def answer(passages: Sequence[Chunk]) -> str | None:
        if not passages:
            return fact.value
        number = find_passage(fact, passages)
        return f"{fact.value} [{number}]" if number else None

    return answer


@dataclass(frozen=True, kw_only=True)
class Unanswerable(Facts):
    """Questions that no document answers: attributes never stated, and entities nobody knows."""

    name: str = "unanswerable"

    def _unknown(self, split: str) -> list[tuple[Entity, Attribute]]:
        """A third of the pairs for each split, so that no question stands in two."""
        pairs = list(self.world.withheld)
        pairs += [(entity, attribute) for entity in self.world.strangers for attribute in entity.kind.attributes]
        self._rng("pairs").shuffle(pairs)
        pairs = {"train": pairs[::3], "development": pairs[1::3], "test": pairs[2::3]}[split]
        return [pair for pair in pairs if self.parity or (pair[0].id in self._held_out) == (split != "train")]

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(split)
        pairs = self._unknown(split)
        drawn: list[tuple[Entity, Attribute]] = []
        while len(drawn) < self.count:
            drawn.extend(rng.sample(pairs, len(pairs)))
        frames = spread(rng, FRAMES[split], self.count)
        return [
            Sample(
                id=f"{self.name}-{split}-{number:04d}",
                task=self.name,
                query=self._query(entity, attribute, frame, rng),
                reference=None,
                cluster=entity.id,
                template=frame,
                tags=_tags(entity, attribute),
            )
            for number, ((entity, attribute), frame) in enumerate(zip(drawn[: self.count], frames, strict=True))
        ]

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        return [
            Lesson(task=self.name, query=self._query(entity, attribute, frame, rng), answer=lambda _: DONT_KNOW)
            for entity, attribute in self._unknown("train")
            for frame in rng.sample(FRAMES["train"], 2)
        ]


@dataclass(frozen=True, kw_only=True)
class Routing(_CompanyTask):
    """Which desk takes a message. Who takes what is the company's own rule."""

    name: str = "routing"

    def _query(self, text: str) -> Query:
        names = ", ".join(self.world.desks.values())
        return Query(
            text=text,
            instruction=f"Which desk takes the message? Desks: {names}.",
            examples=self.examples,
            role=ROLE,
            max_tokens=10,
        )

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """One message for every desk."""
        rng = self._rng("examples")
        namer = Namer(rng)
        return tuple(
            Example(
                query=put(rng.choice(cores(topic, "train")), namer.word(), "train", rng),
                answer=self.world.desks[topic.name],
            )
            for topic in rng.sample(TOPICS, len(TOPICS))
        )

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(split)
        found = []
        # Topics take turns, and so do the wordings within a topic.
        ways = {topic.name: iter(spread(rng, cores(topic, split), self.count)) for topic in TOPICS}
        for number, name in enumerate(spread(rng, list(ways), self.count)):
            core = next(ways[name])
            found.append(
                Sample(
                    id=f"{self.name}-{split}-{number:04d}",
                    task=self.name,
                    query=self._query(put(core, rng.choice(self.world.entities).name, split, rng)),
                    reference=self.world.desks[name],
                    relevant=(f"DSK-{name}",),
                    template=f"{name}: {core}",
                    tags={"labels": list(self.world.desks.values())},
                )
            )
        return found

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        entities = [entity for entity in self.world.entities if entity.id not in self._held_out]
        found = []
        for topic in TOPICS:
            for core in spread(rng, cores(topic, "train"), 24):
                desk = self.world.desks[topic.name]
                found.append(
                    Lesson(
                        task=self.name,
                        query=self._query(put(core, rng.choice(entities).name, "train", rng)),
                        answer=lambda _, desk=desk: desk,  # type: ignore[misc]
                        retrieve=rng.random() < 0.5,
                    )
                )
        return found


def cores(topic: Topic, split: str) -> tuple[str, ...]:
    """What messages of a split say on the topic; nothing is said in two splits."""
    return {"train": topic.train[:-1], "development": topic.train[-1:], "test": topic.test}[split]


ORDER_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "claimant": {"type": ["string", "null"], "description": "who writes"},
        "order_code": {"type": ["string", "null"], "pattern": "^[A-Z]{2}-[0-9]{4}$", "description": "the order number"},
        "amount_euros": {"type": ["integer", "null"], "description": "what was paid, in euros"},
        "bought_on": {"type": ["string", "null"], "description": "the date of the order"},
        "callback_day": {"type": ["string", "null"], "description": "day for a call"},
    },
    "required": ["claimant", "order_code", "amount_euros", "bought_on", "callback_day"],
    "additionalProperties": False,
}
ORDER_KEYS = {
    "claimant": "person",
    "order_code": "code",
    "amount_euros": "money",
    "bought_on": "date",
    "callback_day": "weekday",
}


@dataclass(frozen=True, kw_only=True)
class Extraction(_CompanyTask):
    """What stands in a message, as JSON in the company's form."""

    name: str = "extraction"

    def _query(self, text: str) -> Query:
        return Query(
            text=text,
            instruction="Fill in the order form from the message. Reply in JSON.",
            schema=ORDER_SCHEMA,
            examples=self.examples,
            role=ROLE,
            max_tokens=96,
        )

    def _messages(self, split: str, count: int) -> list[tuple[str, dict[str, Any], str]]:
        rng = self._rng(f"messages-{split}")
        namer = Namer(rng)
        found = []
        for _ in range(count):
            message = order(split, rng, namer)
            fields: dict[str, Any] = {key: message.values[kind] for key, kind in ORDER_KEYS.items()}
            if fields["amount_euros"] is not None:
                fields["amount_euros"] = int(fields["amount_euros"].split()[0])
            found.append((message.text, fields, message.template))
        return found

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Three filled-in forms."""
        return tuple(
            Example(query=text, answer=json.dumps(fields, ensure_ascii=False))
            for text, fields, _ in self._messages("development", self.count + 3)[self.count :]
        )

    def samples(self, split: str) -> list[Sample]:
        return [
            Sample(
                id=f"{self.name}-{split}-{number:04d}",
                task=self.name,
                query=self._query(text),
                reference=fields,
                template=template,
                tags={"extraction": True},
            )
            for number, (text, fields, template) in enumerate(self._messages(split, self.count))
        ]

    def lessons(self) -> list[Lesson]:
        found = []
        for number, (text, fields, _) in enumerate(self._messages("train", 200)):
            answer = json.dumps(fields, ensure_ascii=False)
            found.append(
                Lesson(
                    task=self.name,
                    query=self._query(text),
                    answer=lambda _, answer=answer: answer,  # type: ignore[misc]
                    retrieve=number % 4 == 0,
                )
            )
        return found


REVIEW_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "answer": {"type": ["string", "null"], "description": "the value asked for"},
        "document": {"type": ["string", "null"], "pattern": "^[A-Z]{3}-[0-9]+$", "description": "id of the document"},
        "version": {"type": ["integer", "null"], "description": "version of the document"},
    },
    "required": ["answer", "document", "version"],
    "additionalProperties": False,
}


@dataclass(frozen=True, kw_only=True)
class Review(_CompanyTask):
    """A current fact with its document and that document's version, inside the company's JSON form."""

    name: str = "review"

    def _query(self, fact: Fact, frame: str, rng: random.Random) -> Query:
        return Query(
            text=ask(fact.entity, fact.attribute, frame, rng).text,
            instruction="Fill in the review form for the question. Reply in JSON.",
            schema=REVIEW_SCHEMA,
            examples=self.examples,
            role=ROLE,
            max_tokens=64,
        )

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """One filled-in form, with its passage."""
        question, fact, _ = self._example_page(self._rng("examples"), stated=True)
        return (Example(query=question, answer=_form(fact)),)

    def samples(self, split: str) -> list[Sample]:
        rng = self._rng(f"{split}-words")
        return [
            Sample(
                id=f"{self.name}-{split}-{number:04d}",
                task=self.name,
                query=self._query(fact, frame, rng),
                reference=json.loads(_form(fact)),
                relevant=(fact.entity.id,),
                cluster=fact.entity.id,
                template=frame,
                tags=_tags(fact.entity, fact.attribute),
            )
            for number, (fact, frame) in enumerate(self._draw(self._evaluated, split))
        ]

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        found = []
        for fact in self._learnable:
            for number, frame in enumerate(spread(rng, FRAMES["train"], max(1, self.repeats // 4))):
                found.append(
                    Lesson(
                        task=self.name,
                        query=self._query(fact, frame, rng),
                        answer=_filled_in(fact),
                        retrieve=number == 0,
                    )
                )
        return found


def _form(fact: Fact) -> str:
    form = {"answer": fact.value, "document": fact.entity.id, "version": fact.entity.version}
    return json.dumps(form, ensure_ascii=False)


def _filled_in(fact: Fact) -> Callable[[Sequence[Chunk]], str | None]:
    return lambda passages: _form(fact) if not passages or find_passage(fact, passages) else None
