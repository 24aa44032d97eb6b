"""Samples to look into: a few of each kind of trouble, chosen by rule so that a report is repeatable."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.metrics.rules.registry import told
from bench.reporting.run_files import RunFiles

KINDS = {
    "disagreement": "systems disagree",
    "hallucinated": "hallucinated",
    "unsupported": "true, but not in its passages",
    "malformed": "malformed",
    "refused": "refused",
    "failed": "no answer came",
}
LIMIT = 60
LONGEST = 1500
_CORRECT = ("accuracy", "exact_match", "rules_followed")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One system's answer to a sample."""

    system: str
    text: str
    right: bool | None
    """``None``: no metric of right and wrong applies."""
    flags: tuple[str, ...]
    citations: tuple[int, ...]
    shown: tuple[str, ...]
    error: str
    scores: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A sample, why it is worth a look, and what every system made of it."""

    id: str
    task: str
    query: str
    instruction: str
    reference: str
    kinds: tuple[str, ...]
    answers: tuple[Answered, ...]


def pick(run: RunFiles, limit: int = LIMIT) -> list[Looked]:
    """At most ``limit`` samples, the kinds and within them the tasks taking turns, by the hash of the sample's name."""
    looked = _all(run)
    queues = {kind: _turns([sample for sample in looked if kind in sample.kinds]) for kind in KINDS}
    chosen: dict[tuple[str, str], Looked] = {}
    while len(chosen) < limit and any(queues.values()):
        for queue in queues.values():
            while queue and (queue[0].task, queue[0].id) in chosen:
                queue.pop(0)
            if queue and len(chosen) < limit:
                sample = queue.pop(0)
                chosen[sample.task, sample.id] = sample
    return sorted(chosen.values(), key=lambda sample: (sample.task, sample.id))


def _turns(samples: list[Looked]) -> list[Looked]:
    """Tasks take turns; within a task the order is that of a hash, so neither easy nor early samples lead."""
    by_task: dict[str, list[Looked]] = defaultdict(list)
    for sample in sorted(samples, key=lambda s: hashlib.sha256(f"{s.task}/{s.id}".encode()).hexdigest()):
        by_task[sample.task].append(sample)
    turns = []
    for rank in range(max(map(len, by_task.values()), default=0)):
        turns += [by_task[task][rank] for task in sorted(by_task) if rank < len(by_task[task])]
    return turns


def _all(run: RunFiles) -> list[Looked]:
    scores: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for score in run.scores:
        if score.get("repeat", 0) == 0:
            scores[score["task"], score["sample"], score["system"]].append(score)
    predictions = {(p["task"], p["sample"], p["system"]): p for p in run.predictions if p.get("repeat", 0) == 0}
    looked = []
    for sample in run.samples:
        places = [(sample["task"], sample["id"], system) for system in run.summary["systems"]]
        answers = tuple(_answered(predictions[place], scores[place]) for place in places if place in predictions)
        if kinds := _kinds(answers):
            query = sample["query"] if isinstance(sample["query"], dict) else {"text": sample["query"]}
            looked.append(
                Looked(
                    id=sample["id"],
                    task=sample["task"],
                    query=clip(query.get("text", "")),
                    instruction=clip(query.get("instruction", "")),
                    reference=clip(_reference(sample)),
                    kinds=kinds,
                    answers=answers,
                )
            )
    return looked


def _kinds(answers: Sequence[Answered]) -> tuple[str, ...]:
    found = {flag for answer in answers for flag in answer.flags}
    if {answer.right for answer in answers} >= {True, False}:
        found.add("disagreement")
    return tuple(kind for kind in KINDS if kind in found)


def _answered(prediction: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]) -> Answered:
    values = {score["metric"]: float(score["value"]) for score in scores if score["value"] is not None}
    outcomes = {str(score["detail"].get("outcome")) for score in scores if isinstance(score.get("detail"), dict)}
    correct = next((values[name] for name in _CORRECT if name in values), None)
    flags = []
    if values.get("hallucination_rate", 0) > 0:
        flags.append("hallucinated")
    elif values.get("unfaithful_rate", 0) > 0:
        # Not in its passages: made up, or true all the same where the detector knows that.
        flags.append("unsupported" if "hallucination_rate" in values else "hallucinated")
    if min(values.get("format_adherence", 1), values.get("rules_followed", 1)) < 1:
        flags.append("malformed")
    if ("abstained" in outcomes and correct != 1) or values.get("false_refusal_rate", 0) > 0:
        flags.append("refused")
    if prediction.get("error"):
        flags.append("failed")
    return Answered(
        system=prediction["system"],
        text=clip(prediction.get("text", "")),
        right=None if correct is None else correct >= 1,
        flags=tuple(flags),
        citations=tuple(prediction.get("citations") or ()),
        shown=tuple(map(str, prediction.get("shown") or ())),
        error=clip(str(prediction.get("error") or "")),
        scores=tuple(sorted(values.items())),
    )


def _reference(sample: Mapping[str, Any]) -> str:
    reference, rules = sample.get("reference"), sample.get("tags", {}).get("rules", ())
    if reference is not None:
        text = reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False)
        text = f"for example: {text}" if sample.get("open") else text
    else:
        text = "none: no one answer is right" if sample.get("open") else "none: the right answer is to abstain"
    return f"{text}\nrules:\n{told(rules)}" if rules else text


def clip(text: str, longest: int = LONGEST) -> str:
    """The text, cut where it is very long, with how much was left out."""
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text) - longest:,} more characters)"
