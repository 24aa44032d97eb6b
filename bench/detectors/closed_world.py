"""The closed-world check: where all that is true is known, what an answer asserts is compared with it.

An answer asserts the values in it that are of the kind asked for. A value is *factual* if it is the one the
world has for that entity and attribute, and *faithful* to a passage if the passage states it of them. An
answer to a question of a known kind that abstains asserts nothing; one that names no value of the kind
asserts its first words, which nothing supports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.metrics.abstention import is_abstention
from bench.metrics.json_text import NotJson, first_value
from bench.metrics.text import contains
from bench.records import Prediction, Sample
from bench.world.values import KINDS
from systems.base import Chunk
from systems.prompts import CITATION

NAME = re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)?\b")
NEGATION = re.compile(r"\b(?:not|no|never|isn't|wasn't|rather than|instead of)\s+(?:the\s+|an?\s+)?$", re.IGNORECASE)


@dataclass(frozen=True)
class ClosedWorld:
    """Needs ``value_kind`` in a sample's tags (facts), or a reference object (extraction)."""

    name: str = "closed_world"

    def judge(self, sample: Sample, prediction: Prediction, shown: Sequence[Chunk]) -> Mapping[str, Any] | None:
        if prediction.error is not None:
            return None
        if isinstance(sample.reference, dict):
            if sample.tags.get("value_kind") in KINDS:
                return self._form(sample, prediction, shown)
            # Only where every value has to come out of the text; other JSON tasks may compute theirs.
            return self._fields(sample, prediction) if sample.tags.get("extraction") else None
        if sample.tags.get("value_kind") in KINDS:
            return self._fact(sample, prediction.text, shown)
        return None

    def _fact(self, sample: Sample, text: str, shown: Sequence[Chunk], reference: str | None = None) -> dict[str, Any]:
        """A short factual answer."""
        reference = reference or sample.reference
        holds = [reference is not None and supported(reference, sample, chunk) for chunk in shown]
        return {**self._claims(sample, text, shown, reference), "holds": holds}

    def _claims(self, sample: Sample, text: str, shown: Sequence[Chunk], reference: str | None) -> dict[str, Any]:
        asserted = asserted_values(text, sample.tags["value_kind"])
        if not asserted and is_abstention(text):
            return _verdict(asserted=0, unfactual=False, conflicts=0, shown=shown, supports=[False] * len(shown))
        claims = asserted or [CITATION.sub("", text).strip()]
        true = [reference is not None and contains(claim, reference) for claim in claims]
        supports = [all(supported(claim, sample, chunk) for claim in claims) for chunk in shown]
        together = all(any(supported(claim, sample, chunk) for chunk in shown) for claim in claims)
        return _verdict(
            asserted=len(claims),
            unfactual=not all(true),
            conflicts=sum(not hit for hit in true) if asserted else 0,
            shown=shown,
            supports=supports,
            faithful=together,
        )

    def _form(self, sample: Sample, prediction: Prediction, shown: Sequence[Chunk]) -> dict[str, Any]:
        """A fact inside a form: its value is judged like a short answer; a form that cannot be read, as text."""
        try:
            form = first_value(prediction.text)
        except NotJson:
            return self._fact(sample, prediction.text, shown, reference=sample.reference["answer"])
        value = form.get("answer") if isinstance(form, dict) else form
        if value is None:
            value = "I don't know."
        text = value if isinstance(value, str) else json.dumps(value)
        return self._fact(sample, text, shown, reference=sample.reference["answer"])

    def _fields(self, sample: Sample, prediction: Prediction) -> dict[str, Any]:
        """Extraction: a field is unsupported if its value is neither in the source text nor null."""
        try:
            form = first_value(prediction.text)
        except NotJson:
            form = prediction.text
        values = list(form.values()) if isinstance(form, dict) else [form]
        said = [value for value in values if value is not None]
        made_up = [value for value in said if not in_source(value, sample.query.text)]
        verdict = _verdict(asserted=len(said), unfactual=bool(made_up), conflicts=len(made_up), shown=(), supports=[])
        return {**verdict, "unfaithful": None}


def _verdict(
    *,
    asserted: int,
    unfactual: bool,
    conflicts: int,
    shown: Sequence[Chunk],
    supports: list[bool],
    faithful: bool = True,
) -> dict[str, Any]:
    return {
        "asserted": asserted,
        "unfactual": unfactual,
        "conflicts": conflicts,
        "unfaithful": None if not shown else bool(asserted and not faithful),
        "supports": supports,
    }


def asserted_values(text: str, kind: str) -> list[str]:
    """Values of the kind that the text asserts, each once: those it denies (``not 12 euros``) are left out."""
    pattern = KINDS[kind].pattern or NAME
    bare = CITATION.sub("", text)
    found = []
    for match in pattern.finditer(bare):
        if NEGATION.search(bare[: match.start()]):
            continue
        found.append(match.group(0))
    return list(dict.fromkeys(found))


def supported(claim: str, sample: Sample, chunk: Chunk) -> bool:
    """Whether a passage states the claim of the entity and attribute that were asked about."""
    if chunk.document != sample.tags.get("entity"):
        return False
    phrases = sample.tags.get("phrases", ())
    pieces = [piece for line in chunk.text.split("\n") for piece in line.split(". ")]
    return any(contains(piece, claim) and any(phrase in piece for phrase in phrases) for piece in pieces)


def in_source(value: Any, text: str) -> bool:
    """Whether an extracted value stands in the text, as written or as its number."""
    words = str(value) if not isinstance(value, float) else f"{value:g}"
    return bool(words.strip()) and contains(text, words)
