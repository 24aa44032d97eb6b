"""Summaries of pages: every value kept, nothing added, and short."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

from bench.records import Sample
from bench.tasks.base import Lesson, always
from bench.tasks.company.base import ROLE, CompanyTask, spread
from bench.world.company import Entity, Fact
from bench.world.documents import LEVELS, document
from bench.world.names import Namer
from bench.world.schema import ENTITY_KINDS
from bench.world.values import KINDS
from systems.base import Example, Query, UserError

ASKED = {
    "train": ("Summarise:", "In short:", "Give a summary:", "Sum up this page:"),
    "development": ("A summary, please:",),
    "test": ("Please summarise:", "Put this in one line:", "What does this page say, in short?", "Make this shorter:"),
}


@dataclass(frozen=True)
class Page:
    """A page about an entity that is nowhere else, and what it states."""

    text: str
    entity: Entity
    facts: tuple[Fact, ...]
    template: str


@dataclass(frozen=True, kw_only=True)
class Summaries(CompanyTask):
    """Many summaries are right: what is checked is which values they keep, which they make up, and their length."""

    name: str = "summaries"
    level: int = 1
    """Level of the pages: the suite's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.level not in LEVELS:
            raise UserError(f"task.{self.name}.level={self.level}: must be one of {', '.join(map(str, LEVELS))}")

    def _pages(self, split: str, count: int, purpose: str) -> list[Page]:
        rng = self._rng(purpose)
        namer = Namer(rng)
        ways = [(asked, kind) for asked in ASKED[split] for kind in ENTITY_KINDS]
        found = []
        for asked, kind in spread(rng, ways, count):
            name = kind.form.format(word=namer.word(), person=namer.person())
            entity = Entity(f"{kind.prefix}-{rng.randint(100, 999)}", name, kind, rng.randint(1, 9))
            chosen = rng.sample(kind.attributes, rng.randint(3, 5))
            facts = tuple(Fact(entity, one, KINDS[one.kind].draw(rng, namer)) for one in chosen)
            page = document(entity, facts, random.Random(rng.random()), LEVELS[self.level])
            found.append(Page(f"{asked}\n{page.title}\n{page.text}", entity, facts, f"{asked} {kind.name}"))
        return found

    def _query(self, page: Page) -> Query:
        return Query(
            text=page.text,
            instruction=f"Summarise the page in one line of at most {_most_words(page)} words. Keep every value.",
            examples=self.examples,
            role=ROLE,
            max_tokens=128,
        )

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Two pages with their summaries."""
        pages = self._pages("train", 2, "examples")
        return tuple(Example(query=page.text, answer=_summary(page)) for page in pages)

    def samples(self, split: str) -> list[Sample]:
        return [
            Sample(
                id=f"{self.name}-{split}-{number:04d}",
                task=self.name,
                query=self._query(page),
                reference=_summary(page),
                open=True,
                cluster=page.template,
                template=page.template,
                tags={
                    "required": [fact.value for fact in page.facts],
                    "rules": [
                        {"rule": "style:max_words", "words": _most_words(page)},
                        {"rule": "length_constraints:number_paragraphs", "num_paragraphs": 1},
                    ],
                },
            )
            for number, page in enumerate(self._pages(split, self.count, split))
        ]

    def lessons(self) -> list[Lesson]:
        return [
            Lesson(
                task=self.name,
                query=self._query(page),
                answer=always(_summary(page)),
                retrieve=number % 3 == 0,
            )
            for number, page in enumerate(self._pages("train", 160, "lessons"))
        ]


def _summary(page: Page) -> str:
    return f"{page.entity.name}: " + ", ".join(f"{fact.attribute.phrases[0]} {fact.value}" for fact in page.facts) + "."


def _most_words(page: Page) -> int:
    """Room for the plain list of what is stated, and a little more."""
    return len(_summary(page).split()) + 8
