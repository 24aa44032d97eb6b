"""Replies to messages by the company's style guide: how they open and end, sections, length, phrases to avoid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.metrics.rules.registry import check_rules
from bench.records import Sample
from bench.tasks.base import Lesson, always
from bench.tasks.company.base import ROLE, CompanyTask, spread
from bench.tasks.company.routing import cores
from bench.world.messages import TOPICS, Topic, put
from bench.world.names import Namer
from systems.base import Example, Query, UserError

HEADINGS = ("Your message", "Next step")
FORBIDDEN = ("unfortunately", "as soon as possible", "to be honest")
MOST_WORDS = 60


@dataclass(frozen=True)
class Ticket:
    """A message to be answered, with the earlier ones of its thread before it."""

    text: str
    person: str
    topic: Topic
    template: str


@dataclass(frozen=True, kw_only=True)
class Replies(CompanyTask):
    """Many replies are right: what is checked is the style guide, rule by rule, and the desk that signs."""

    name: str = "replies"
    thread: int = 0
    """Earlier messages of other people before the one to be answered: rules are forgotten as the context grows."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.thread < 0:
            raise UserError(f"task.{self.name}.thread={self.thread}: must be 0 or more")

    def _tickets(self, split: str, count: int, purpose: str, names: Sequence[str]) -> list[Ticket]:
        """Messages on entities of these names; without any, on invented ones."""
        rng = self._rng(purpose)
        namer = Namer(rng)

        def message(core: str) -> tuple[str, str]:
            person = namer.person()
            about = rng.choice(names) if names else namer.word()
            return f"From {person}: {put(core, about, split, rng)}", person

        found = []
        ways = {topic.name: iter(spread(rng, cores(topic, split), count)) for topic in TOPICS}
        for topic in spread(rng, TOPICS, count):
            core = next(ways[topic.name])
            earlier = [message(rng.choice(cores(rng.choice(TOPICS), split)))[0] for _ in range(self.thread)]
            text, person = message(core)
            if earlier:
                text = "Earlier messages:\n" + "\n".join(earlier) + f"\n\nAnswer this one:\n{text}"
            found.append(Ticket(text, person, topic, f"{topic.name}: {core}"))
        return found

    def _query(self, ticket: Ticket) -> Query:
        desks = ", ".join(f"{self.world.desks[topic.name]} ({topic.description})" for topic in TOPICS)
        first, second = HEADINGS
        return Query(
            text=ticket.text,
            instruction="Reply to the message by our style guide.",
            guidance=(
                f"Begin with: Dear and the full name of who writes. Then two sections, on a line each: '{first}:' and "
                f"'{second}:'. End with: Kind regards, the NAME desk. Desks: {desks}. At most {MOST_WORDS} words. "
                f"Never write: {', '.join(FORBIDDEN)}. Do not write I, me or my."
            ),
            examples=self.examples,
            role=ROLE,
            max_tokens=128,
        )

    def _reply(self, ticket: Ticket) -> str:
        first, second = HEADINGS
        desk = self.world.desks[ticket.topic.name]
        return (
            f"Dear {ticket.person},\n{first}: it is about {ticket.topic.description}.\n"
            f"{second}: the {desk} desk will look at it and write to you.\nKind regards, the {desk} desk"
        )

    def _rules(self, ticket: Ticket) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = [
            {"rule": "style:begins_with", "phrase": f"Dear {ticket.person},"},
            {"rule": "style:sections", "headings": list(HEADINGS)},
            {"rule": "style:max_words", "words": MOST_WORDS},
            {"rule": "style:forbidden_phrases", "phrases": list(FORBIDDEN)},
            {"rule": "style:no_first_person_singular"},
            {"rule": "startend:end_checker", "end_phrase": f"the {self.world.desks[ticket.topic.name]} desk"},
        ]
        check_rules(rules, f"task {self.name}")
        return rules

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Two answered messages."""
        tickets: Sequence[Ticket] = self._tickets("train", 2, "examples", names=())
        return tuple(Example(query=ticket.text, answer=self._reply(ticket)) for ticket in tickets)

    def samples(self, split: str) -> list[Sample]:
        names = [entity.name for entity in self.world.entities]
        return [
            Sample(
                id=f"{self.name}-{split}-{number:04d}",
                task=self.name,
                query=self._query(ticket),
                reference=self._reply(ticket),
                open=True,
                cluster=ticket.template,
                template=ticket.template,
                tags={"rules": self._rules(ticket)},
            )
            for number, ticket in enumerate(self._tickets(split, self.count, split, names))
        ]

    def lessons(self) -> list[Lesson]:
        return [
            Lesson(
                task=self.name,
                query=self._query(ticket),
                answer=always(self._reply(ticket)),
                retrieve=number % 3 == 0,
            )
            for number, ticket in enumerate(self._tickets("train", 160, "lessons", self._nameable))
        ]
