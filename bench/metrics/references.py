"""What kind of right answer a sample has, and which spellings of it count."""

from __future__ import annotations

import json
from typing import Literal

from bench.records import Sample

Kind = Literal["value", "label", "json", "abstain", "open"]


def answer_kind(sample: Sample) -> Kind:
    """``open`` where no one answer is right; ``abstain`` without a reference; ``label`` where the task tags its
    ``labels``; ``json`` for a JSON value."""
    if sample.open:
        return "open"
    if sample.reference is None:
        return "abstain"
    if "labels" in sample.tags:
        return "label"
    return "value" if isinstance(sample.reference, str) else "json"


def spellings(sample: Sample) -> tuple[str, ...]:
    """All texts that count as right, the reference first; empty for an unanswerable or an open sample."""
    if sample.open or sample.reference is None:
        return ()
    first = sample.reference if isinstance(sample.reference, str) else json.dumps(sample.reference, ensure_ascii=False)
    return tuple(dict.fromkeys((first, *sample.references)))


def parts(sample: Sample) -> tuple[tuple[str, ...], ...]:
    """What a free answer has to hold, all of it, each part in one of its spellings: those of the tag ``parts``; without
    it the reference is all."""
    return tuple(map(tuple, sample.tags.get("parts", ()))) or (spellings(sample),)


def same_label(text: str, label: str) -> bool:
    """Labels are compared whole, but for case and outer white space."""
    return text.strip().casefold() == label.strip().casefold()
