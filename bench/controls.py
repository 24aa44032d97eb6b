"""Controls that say whether a run's other numbers mean anything: is the adapter on, and does it hold facts?

*Proof*: the tuned system's answers to a probe differ from the base model's under the same prompt.
*Positive control*: facts asked as they were trained must be recalled in at least half the cases, or what a
run says about knowledge in weights is uninformative (DESIGN: fairness rule 6).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from bench.assembly import Assembly
from bench.config import build
from bench.journal import Journal
from bench.metrics.text import contains
from bench.stats import wilson
from bench.tasks.base import Lesson
from systems.base import Request, Sampling
from systems.prompts import PromptBuilder

ENOUGH = 0.5
"""Share of trained questions that must be recalled."""


CONTROLS, OTHERS = 60, 10
"""Probes: questions of the positive control, and lessons of every other task for the proof."""


@dataclass(frozen=True)
class Probe:
    """A lesson as it stood in training, and its answer."""

    number: int
    request: Request
    expected: str
    control: bool
    """Part of the positive control: a fact, closed book."""


def probes(assembly: Assembly, name: str, adapter: str) -> list[Probe]:
    """Closed-book lessons of the training text, drawn by a seed, under the tuned system's own prompt."""
    builder = build(assembly.system_nodes[name]["prompt"])
    by_task: dict[str, list[Lesson]] = {}
    for lesson in assembly.suite.lessons():
        if lesson.answer(()):
            by_task.setdefault(lesson.task, []).append(lesson)
    rng = random.Random(f"control-{name}")
    chosen: list[tuple[Lesson, bool]] = []
    for lessons in by_task.values():
        control = lessons[0].control
        chosen += [(one, control) for one in rng.sample(lessons, min(CONTROLS if control else OTHERS, len(lessons)))]
    return [
        Probe(number, _asked(assembly, builder, lesson, adapter), str(lesson.answer(())), control)
        for number, (lesson, control) in enumerate(chosen)
    ]


def _asked(assembly: Assembly, builder: PromptBuilder, lesson: Lesson, adapter: str) -> Request:
    """The lesson's prompt as it stood in training."""
    sampling = Sampling(max_tokens=lesson.query.max_tokens)
    if not lesson.query.calls:
        return Request(messages=builder.messages(lesson.query), sampling=sampling, adapter=adapter)
    prompt = builder.call(lesson.query.calls[0])
    return Request(
        messages=() if isinstance(prompt, str) else prompt,
        text=assembly.model.text(prompt),
        token_ids=tuple(assembly.model.encode_text(prompt)),
        sampling=sampling,
        adapter=adapter,
    )


def run_controls(assembly: Assembly, adapters: dict[str, str], journal: Journal) -> None:
    """Ask each adapter's probe with and without the adapter; answers go to the journal ``controls.jsonl``."""
    done = {(r["adapter"], r["number"], r["tuned"]) for r in journal.records if r["error"] is None}
    first: dict[str, str] = {}
    for name, adapter in adapters.items():
        first.setdefault(adapter, name)
    for adapter, name in first.items():
        asked = probes(assembly, name, adapter)
        todo = [(p, tuned) for p in asked for tuned in (True, False) if (adapter, p.number, tuned) not in done]
        if not todo:
            continue
        assembly.engine.start()  # where nobody answers, that is said now, and not journaled as so many failed probes
        requests = [p.request if tuned else replace(p.request, adapter=None) for p, tuned in todo]
        for index, completion in assembly.engine.generate(requests):
            probe, tuned = todo[index]
            journal.append(
                {
                    "system": name,
                    "adapter": adapter,
                    "number": probe.number,
                    "tuned": tuned,
                    "control": probe.control,
                    "expected": probe.expected,
                    "text": completion.text,
                    "error": completion.error,
                }
            )


def read_controls(records: list[dict[str, Any]]) -> dict[str, Any]:
    """What the controls show, for the summary: ``adapter_proof`` and ``positive_control``, of the worst adapter."""
    # A failed call proves nothing: its empty text would differ from any answer.
    answered = [record for record in records if record["error"] is None]
    adapters = dict.fromkeys(record["adapter"] for record in answered if record["tuned"])
    proofs, recalls = [], []
    for adapter in adapters:
        mine = [record for record in answered if record["adapter"] == adapter]
        tuned = {record["number"]: record for record in mine if record["tuned"]}
        base = {record["number"]: record for record in mine if not record["tuned"]}
        both = set(tuned) & set(base)
        proofs.append((sum(tuned[n]["text"] != base[n]["text"] for n in both), len(both)))
        asked = [record for record in tuned.values() if record["control"]]
        if asked:
            recalls.append((sum(contains(record["text"], record["expected"]) for record in asked), len(asked)))
    found: dict[str, Any] = {}
    if proofs:
        different, of = _worst(proofs)
        found["adapter_proof"] = {"different": different, "of": of}
    if recalls:
        recalled, of = _worst(recalls)
        share = wilson(recalled, of)
        found["positive_control"] = {
            "recalled": recalled,
            "of": of,
            "share": share.estimate,
            "low": share.low,
            "high": share.high,
            "informative": recalled / of >= ENOUGH,
        }
    return found


def _worst(counts: list[tuple[int, int]]) -> tuple[int, int]:
    """The lowest share: an adapter that is not applied must not hide behind another."""
    return min(counts, key=lambda count: count[0] / count[1] if count[1] else 0.0)
