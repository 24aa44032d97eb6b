"""A few rows in the shape in which RAGTruth's authors publish it."""

from __future__ import annotations

from typing import Any

SOURCES = (
    {
        "source_id": "1",
        "task_type": "QA",
        "source": "MARCO",
        "source_info": {"question": "how to cook beets", "passages": "passage 1:Bake them.\n\npassage 2:Or boil.\n\n"},
        "prompt": "...",
    },
    {
        "source_id": "2",
        "task_type": "Data2txt",
        "source": "Yelp",
        "source_info": {"name": "Cafe", "open": True},
        "prompt": "Write an overview:\n{'name': 'Cafe', 'open': True}\nOverview:",
    },
    {
        "source_id": "3",
        "task_type": "QA",
        "source": "MARCO",
        "source_info": {"question": "of the training split", "passages": "passage 1:x\n\n"},
        "prompt": "...",
    },
)
"""``source_info.jsonl``."""


def answer(number: int, source: str, **rest: Any) -> dict[str, Any]:
    """A row of ``response.jsonl``."""
    row = {"id": str(number), "source_id": source, "model": "m", "temperature": 0.7, "labels": [], "split": "test"}
    return {**row, "quality": "good", "response": "Bake them.", **rest}


RESPONSES = (
    answer(1, "1"),
    answer(
        2, "1", labels=[{"start": 0, "end": 4, "text": "Fry", "label_type": "Evident Conflict"}], response="Fry them."
    ),
    answer(3, "1", quality="truncated"),
    answer(4, "2", response="A cafe."),
    answer(5, "3", split="train"),
)
