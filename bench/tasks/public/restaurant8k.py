"""Restaurant8k (Coope et al. 2020): what a guest says to what a form needs. CC BY 4.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.tasks.public.source import DataSet, Source

SLOTS = {
    "people": "how many people come",
    "date": "on which day",
    "time": "at what time",
    "first_name": "first name of the guest",
    "last_name": "last name of the guest",
}
SCHEMA = {
    "type": "object",
    "properties": {slot: {"type": ["string", "null"], "description": text} for slot, text in SLOTS.items()},
    "required": list(SLOTS),
    "additionalProperties": False,
}
INSTRUCTION = (
    "Fill in the form from what the guest says, word for word; null where nothing is said. The keys: "
    + ", ".join(SLOTS)
    + "."
)


def query(row: Mapping[str, Any]) -> str:
    """What the guest says; before it what the guest was asked for, which the authors' models are told too.

    "13" answers as to the time or as to the people: without it no one could know.
    """
    requested = row.get("context", {}).get("requestedSlots", ())
    asked = ", ".join(slot.replace("_", " ") for slot in SLOTS if slot in requested)
    said: str = row["userInput"]["text"]
    return f"Asked for: {asked}.\n{said}" if asked else said


def form(row: Mapping[str, Any]) -> dict[str, str | None]:
    """Every slot with the words that fill it. The files leave out a start of 0."""
    text = row["userInput"]["text"]
    found: dict[str, str | None] = dict.fromkeys(SLOTS)
    for label in row.get("labels", ()):
        span = label["valueSpan"]
        found[label["slot"]] = text[span.get("startIndex", 0) : span["endIndex"]]
    return found


def read(source: Source) -> DataSet:
    """``train_1.json`` (or ``train_0.json``, the larger one, where it is there) and ``test.json``."""
    return DataSet(
        records=[
            {
                "id": f"{split}-{number}",
                "query": query(row),
                "instruction": INSTRUCTION,
                "reference": form(row),
                "schema": SCHEMA,
                "kind": "json",
                "task": "restaurant8k",
                "split": split,
            }
            for split, names in (("train", ("train_0.json", "train_1.json")), ("test", ("test.json",)))
            for number, row in enumerate(source.json(*names))
        ]
    )
