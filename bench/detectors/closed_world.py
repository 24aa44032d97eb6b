"""The closed-world check: where all that is true is known, what an answer asserts is compared with it.

An answer asserts the values in it that are of the kind asked for. A value is *factual* if it is the one the
world has for that entity and attribute, and *faithful* to a passage if the passage states it of them. An
answer that abstains, or that only denies what is not so, asserts nothing; denying what is so is a conflict. One
that names no value of the kind, and does not abstain, asserts its words, which nothing supports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.detectors.assertions import claims, values
from bench.detectors.base import Accountable, nothing_asserted
from bench.metrics.abstention import is_abstention
from bench.metrics.json_text import NotJson, first_value
from bench.metrics.text import contains, plain
from bench.records import Prediction, Sample
from bench.world.documents import superseding
from bench.world.values import KINDS
from systems.base import Chunk


@dataclass(frozen=True)
class ClosedWorld(Accountable):
    """Needs ``value_kind`` in a sample's tags (facts), a reference object (extraction), or ``required`` (summaries)."""

    name: str = "closed_world"

    def judge(self, sample: Sample, prediction: Prediction, shown: Sequence[Chunk]) -> Mapping[str, Any] | None:
        if prediction.error is not None:
            return nothing_asserted(shown) if self._is_its_kind(sample) else None
        if isinstance(sample.reference, dict):
            if sample.tags.get("value_kind") in KINDS:
                return self._form(sample, prediction, shown)
            # Only where every value has to come out of the text; other JSON tasks may compute theirs.
            return self._fields(sample, prediction) if sample.tags.get("extraction") else None
        if "required" in sample.tags:
            return self._summary(sample, prediction)
        if sample.tags.get("value_kind") in KINDS:
            # Who may not be told it asks for something that is so all the same.
            return self._fact(sample, prediction.text, shown, sample.tags.get("secret", sample.reference))
        return None

    def _is_its_kind(self, sample: Sample) -> bool:
        extraction = isinstance(sample.reference, dict) and bool(sample.tags.get("extraction"))
        return extraction or "required" in sample.tags or sample.tags.get("value_kind") in KINDS

    def _fact(self, sample: Sample, text: str, shown: Sequence[Chunk], reference: str | None) -> dict[str, Any]:
        """A short factual answer."""
        holds = [reference is not None and supported(reference, sample, chunk) for chunk in shown]
        return {**self._claims(sample, text, shown, reference), "holds": holds}

    def _claims(self, sample: Sample, text: str, shown: Sequence[Chunk], reference: str | None) -> dict[str, Any]:
        known = " ".join((sample.query.text, *(phrase.title() for phrase in sample.tags.get("phrases", ()))))
        said = claims(text, sample.tags["value_kind"], known)
        found = list(said.asserted)
        denials = sum(reference is not None and agrees(value, reference) for value in said.denied)
        words = plain(text).strip()
        if not found and not said.denied and any(map(str.isalnum, words)) and not is_abstention(text):
            # Written otherwise than any value is found by: the right one without capitals, or other words.
            found = [reference if reference is not None and contains(words, reference) else words]
        right = [reference is not None and agrees(value, reference) for value in found]
        supports = [bool(found) and all(supported(value, sample, chunk) for value in found) for chunk in shown]
        return _verdict(
            asserted=len(found) + denials,
            unfactual=not all(right) or denials > 0,
            conflicts=(sum(not hit for hit in right) if said.asserted else 0) + denials,
            shown=shown,
            supports=supports,
            faithful=not denials and all(any(supported(value, sample, chunk) for chunk in shown) for value in found),
        )

    def _form(self, sample: Sample, prediction: Prediction, shown: Sequence[Chunk]) -> dict[str, Any]:
        """A fact inside a form: its value is judged like a short answer; a form that cannot be read, as text."""
        reference = sample.reference.get("answer")
        try:
            form = first_value(prediction.text)
        except NotJson:
            return self._fact(sample, prediction.text, shown, reference)
        value = form.get("answer", form) if isinstance(form, dict) else form
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
        verdict = self._fact(sample, text, shown, reference)
        # What else the form says of its source is an assertion too: a document that is not so is made up.
        rest = {key: form.get(key) for key in sample.reference if key != "answer"} if isinstance(form, dict) else {}
        said = {key: given for key, given in rest.items() if given is not None}
        wrong = [key for key, given in said.items() if str(given) != str(sample.reference[key])]
        unshown = [given for given in said.values() if not any(_heads(given, chunk) for chunk in shown)]
        verdict["asserted"] += len(said)
        verdict["conflicts"] += len(wrong)
        verdict["unfactual"] = verdict["unfactual"] or bool(wrong)
        if shown:
            verdict["unfaithful"] = bool(verdict["unfaithful"] or unshown)
        return verdict

    def _fields(self, sample: Sample, prediction: Prediction) -> dict[str, Any]:
        """Extraction: a field is unsupported if its value is neither in the source text nor null."""
        try:
            said = list(leaves(first_value(prediction.text)))
        except NotJson:
            said = [] if is_abstention(prediction.text) else sorted(values(prediction.text)) or [prediction.text]
        said = [value for value in said if value is not None and str(value).strip()]
        made_up = [value for value in said if not in_source(value, sample.query.text)]
        verdict = _verdict(asserted=len(said), unfactual=bool(made_up), conflicts=len(made_up), shown=(), supports=[])
        return {**verdict, "unfaithful": None}

    def _summary(self, sample: Sample, prediction: Prediction) -> dict[str, Any]:
        """A text about the query's own: a value of a closed kind (an amount, a date, a code) has to stand there."""
        said = values(prediction.text)
        made_up = said - values(sample.query.text)
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


def agrees(value: str, reference: str) -> bool:
    """Whether a value is the one the world has; a part of it (a surname, a date without its year) agrees too."""
    return contains(value, reference) or contains(reference, value)


def supported(claim: str, sample: Sample, chunk: Chunk) -> bool:
    """Whether a passage states the claim of the entity and attribute that were asked about."""
    if superseding(chunk.document) != sample.tags.get("entity"):
        return False  # an earlier version states it too, though it may be so no more
    phrases = sample.tags.get("phrases", ())
    pieces = [piece for line in chunk.text.split("\n") for piece in line.split(". ")]
    return any(contains(piece, claim) and any(phrase in piece for phrase in phrases) for piece in pieces)


def _heads(value: Any, chunk: Chunk) -> bool:
    """Whether a passage's title says it: the id of its document, its version."""
    return contains(chunk.title, str(value))


def leaves(value: Any) -> Iterator[Any]:
    """The values inside a JSON value."""
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(inner)
    else:
        yield value


def in_source(value: Any, text: str) -> bool:
    """Whether an extracted value stands in the text: as written, as its number, or as a value spelt otherwise."""
    words = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return contains(text, words) or bool(values(words) & values(text))
