"""A current fact with its document and that document's version, inside the company's JSON form."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.records import Sample
from bench.tasks.base import Lesson
from bench.tasks.company.base import ROLE, CompanyTask, fact_tags, find_passage, spread
from bench.world.company import Fact
from bench.world.wording import FRAMES, ask
from systems.base import Chunk, Example, Query

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
class Review(CompanyTask):
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
                tags=fact_tags(fact.entity, fact.attribute),
            )
            for number, (fact, frame) in enumerate(self._draw(self._evaluated, split))
        ]

    def lessons(self) -> list[Lesson]:
        rng = self._rng("lessons")
        found = []
        for fact in self._learnable:
            for number, frame in enumerate(spread(rng, FRAMES["train"], max(1, self.repeats // 3))):
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
