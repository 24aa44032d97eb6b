"""Controls that say whether a run's other numbers mean anything: is the adapter on, and does it hold facts?

*Proof*: the tuned system's answers to a probe differ from the base model's under the same prompt.
*Positive control*: facts asked as they were trained must be recalled in at least half the cases, or what a
run says about knowledge in weights is uninformative (DESIGN: fairness rule 6).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from bench.assembly import Assembly
from bench.journal import Journal
from bench.metrics.text import contains
from bench.stats import wilson
from systems.base import Request, Sampling

ENOUGH = 0.5
"""Share of trained questions that must be recalled."""


@dataclass(frozen=True)
class Probe:
    """A question as it stood in training, and its answer."""

    system: str
    number: int
    request: Request
    expected: str


def probes(assembly: Assembly, name: str, adapter: str, count: int = 60) -> list[Probe]:
    """Closed-book questions of the training text, drawn by a seed, under the tuned system's own prompt."""
    from bench.config import build

    builder = build(assembly.system_nodes[name]["prompt"])
    lessons = [lesson for lesson in assembly.suite.lessons() if lesson.task == "facts" and lesson.answer(())]
    chosen = random.Random(f"control-{name}").sample(lessons, min(count, len(lessons)))
    found = []
    for number, lesson in enumerate(chosen):
        request = Request(
            messages=builder.messages(lesson.query),
            sampling=Sampling(max_tokens=lesson.query.max_tokens),
            adapter=adapter,
        )
        found.append(Probe(name, number, request, str(lesson.answer(()))))
    return found


def run_controls(assembly: Assembly, adapters: dict[str, str], journal: Journal) -> None:
    """Ask each adapter's probe with and without the adapter; answers go to the journal ``controls.jsonl``."""
    from dataclasses import replace

    done = {(r["adapter"], r["number"], r["tuned"]) for r in journal.records}
    first: dict[str, str] = {}
    for name, adapter in adapters.items():
        first.setdefault(adapter, name)
    for adapter, name in first.items():
        asked = probes(assembly, name, adapter)
        todo = [(p, tuned) for p in asked for tuned in (True, False) if (adapter, p.number, tuned) not in done]
        requests = [p.request if tuned else replace(p.request, adapter=None) for p, tuned in todo]
        for index, completion in assembly.engine.generate(requests):
            probe, tuned = todo[index]
            journal.append(
                {
                    "system": name,
                    "adapter": adapter,
                    "number": probe.number,
                    "tuned": tuned,
                    "expected": probe.expected,
                    "text": completion.text,
                    "error": completion.error,
                }
            )


def read_controls(records: list[dict[str, Any]]) -> dict[str, Any]:
    """What the controls show, for the summary: ``adapter_proof`` and ``positive_control``."""
    tuned = {r["number"]: r for r in records if r["tuned"]}
    base = {r["number"]: r for r in records if not r["tuned"]}
    if not tuned:
        return {}
    both = sorted(set(tuned) & set(base))
    recalled = sum(contains(record["text"], record["expected"]) for record in tuned.values())
    share = wilson(recalled, len(tuned))
    return {
        "adapter_proof": {"different": sum(tuned[n]["text"] != base[n]["text"] for n in both), "of": len(both)},
        "positive_control": {
            "recalled": recalled,
            "of": len(tuned),
            "share": share.estimate,
            "low": share.low,
            "high": share.high,
            "informative": recalled / len(tuned) >= ENOUGH,
        },
    }
