"""What stands in a message, as JSON in the company's form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.records import Sample
from bench.tasks.base import Lesson, always
from bench.tasks.company.base import ROLE, CompanyTask
from bench.tasks.company.forms import FORMS
from bench.world.names import Namer
from systems.base import Example, Query, UserError


@dataclass(frozen=True, kw_only=True)
class Extraction(CompanyTask):
    """What stands in a message, as JSON in the company's form."""

    name: str = "extraction"
    form: str = "flat"
    """A key of ``forms.FORMS``."""
    shots: int = 3
    """Filled-in forms in the full prompt."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.form not in FORMS:
            raise UserError(f"task.{self.name}.form={self.form}: must be one of {', '.join(FORMS)}")
        if self.shots < 0:
            raise UserError(f"task.{self.name}.shots={self.shots}: must be 0 or more")

    def _query(self, text: str) -> Query:
        return Query(
            text=text,
            instruction="Fill in the order form from the message. Reply in JSON.",
            schema=FORMS[self.form].schema,
            examples=self.examples,
            role=ROLE,
            max_tokens=FORMS[self.form].max_tokens,
        )

    def _messages(self, split: str, count: int) -> list[tuple[str, dict[str, Any], str]]:
        rng = self._rng(f"messages-{split}")
        namer = Namer(rng)
        return [FORMS[self.form].draw(split, rng, namer) for _ in range(count)]

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Filled-in forms that are no sample's."""
        return tuple(
            Example(query=text, answer=json.dumps(fields, ensure_ascii=False))
            for text, fields, _ in self._messages("development", self.count + self.shots)[self.count :]
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
                    answer=always(answer),
                    retrieve=number % 4 == 0,
                )
            )
        return found
