"""What stands in a message, as JSON in the company's form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.records import Sample
from bench.tasks.base import Lesson
from bench.tasks.company.base import ROLE, CompanyTask
from bench.world.messages import order
from bench.world.names import Namer
from systems.base import Example, Query

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
class Extraction(CompanyTask):
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
