"""Factual questions; with passages the answer cites the one it used."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.records import Sample
from bench.tasks.base import Lesson, always
from bench.tasks.company.base import ROLE, CompanyTask, fact_tags, find_passage, spread
from bench.world.company import Company, Entity, Fact
from bench.world.documents import documents
from bench.world.schema import Attribute
from bench.world.wording import DONT_KNOW, FRAMES, ask
from systems.base import Chunk, Example, Query

FACT_INSTRUCTION = (
    "Answer the question. Use the passages if there are any, and cite the one you used like [1]. "
    "If you do not know, say: I don't know."
)


@dataclass(frozen=True, kw_only=True)
class Facts(CompanyTask):
    """Factual questions; with passages the answer cites the one it used."""

    name: str = "facts"
    recitals: int = 3
    """How often training recites each section of a page: the facts as documents, beside the questions on them."""
    read: float = 2.5
    """How often, on average, training reads each fact out of passages that the retriever finds."""
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
        return [
            self._sample(f"{self.name}-{split}-{number:04d}", fact, frame, rng, cite=True)
            for number, (fact, frame) in enumerate(self._draw(self._evaluated, split))
        ]

    def _sample(self, name: str, fact: Fact, frame: str, rng: random.Random, **tags: object) -> Sample:
        """A fact asked for in one wording."""
        return Sample(
            id=name,
            task=self.name,
            query=self._query(fact.entity, fact.attribute, frame, rng),
            reference=fact.value,
            relevant=(fact.entity.id,),
            cluster=fact.entity.id,
            template=frame,
            tags={**fact_tags(fact.entity, fact.attribute), **tags},
        )

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
                        retrieve=rng.random() < self.read / self.repeats,
                        control=True,
                    )
                )
        return found + list(self._recitals())

    @property
    def _taught(self) -> Company:
        """The company whose pages training recites."""
        return self.world

    def unknown_lessons(self) -> list[Lesson]:
        """Questions about strangers: how to say that one does not know."""
        rng = self._rng("strangers")
        return [
            Lesson(task=self.name, query=self._query(entity, attribute, frame, rng), answer=always(DONT_KNOW))
            for entity in self.world.strangers
            for attribute in entity.kind.attributes
            for frame in rng.sample(FRAMES["train"], 2)
        ]

    def _recitals(self) -> Iterator[Lesson]:
        """The pages of all learnable entities, section by section; a task of their own, since they ask no fact."""
        learnable = {fact.entity.id for fact in self._learnable}
        for page in documents(self._taught, self.level):
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
