"""The company's order forms, of three difficulties: flat, nested, and a list of orders with dates by the standard."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.world.messages import order, orders
from bench.world.names import Namer

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Fields = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """A schema, and how a message of a split is drawn with what stands in it."""

    schema: Fields
    draw: Callable[[str, random.Random, Namer], tuple[str, Fields, str]]
    """Split → message, filled-in form, template."""
    max_tokens: int


def _object(**properties: Fields) -> Fields:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


NAME = {"type": ["string", "null"], "description": "who writes"}
CODE = {"type": ["string", "null"], "pattern": "^[A-Z]{2}-[0-9]{4}$", "description": "the order number"}
AMOUNT = {"type": ["integer", "null"], "description": "what was paid, in euros"}
BOUGHT = {"type": ["string", "null"], "description": "the date of the order"}
ISO = {**BOUGHT, "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "the date of the order, as 2024-03-05"}
DAY = {"type": ["string", "null"], "description": "day for a call"}


def _euros(written: str | None) -> int | None:
    return None if written is None else int(written.split()[0])


def _flat(split: str, rng: random.Random, namer: Namer) -> tuple[str, Fields, str]:
    message = order(split, rng, namer)
    values = message.values
    fields = {
        "claimant": values["person"],
        "order_code": values["code"],
        "amount_euros": _euros(values["money"]),
        "bought_on": values["date"],
        "callback_day": values["weekday"],
    }
    return message.text, fields, message.template


def _nested(split: str, rng: random.Random, namer: Namer) -> tuple[str, Fields, str]:
    message = order(split, rng, namer)
    values = message.values
    fields = {
        "buyer": {"name": values["person"], "callback_day": values["weekday"]},
        "purchase": {"code": values["code"], "amount_euros": _euros(values["money"]), "bought_on": values["date"]},
    }
    return message.text, fields, message.template


def _listed(split: str, rng: random.Random, namer: Namer) -> tuple[str, Fields, str]:
    message = orders(split, rng, namer)

    def item(values: Mapping[str, str | None]) -> Fields:
        return {"code": values["code"], "amount_euros": _euros(values["money"]), "bought_on": iso(values["date"])}

    fields = {"claimant": message.person, "orders": [item(values) for values in message.orders]}
    return message.text, fields, message.template


def iso(written: str | None) -> str | None:
    """``5 March 2024`` as ``2024-03-05``."""
    if written is None:
        return None
    return datetime.datetime.strptime(written, "%d %B %Y").date().isoformat()


FORMS: dict[str, Form] = {
    "flat": Form(
        {
            "$schema": DRAFT,
            **_object(claimant=NAME, order_code=CODE, amount_euros=AMOUNT, bought_on=BOUGHT, callback_day=DAY),
        },
        _flat,
        96,
    ),
    "nested": Form(
        {
            "$schema": DRAFT,
            **_object(
                buyer=_object(name=NAME, callback_day=DAY),
                purchase=_object(code=CODE, amount_euros=AMOUNT, bought_on=BOUGHT),
            ),
        },
        _nested,
        112,
    ),
    "list": Form(
        {
            "$schema": DRAFT,
            **_object(
                claimant=NAME,
                orders={
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 3,
                    "items": _object(code=CODE, amount_euros=AMOUNT, bought_on=ISO),
                },
            ),
        },
        _listed,
        192,
    ),
}
