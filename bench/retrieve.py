"""``bench retrieve``: how well retrievers find the labelled evidence of a suite, before any model is asked.

Where the evidence of fewer than 85 % of the questions stands in the top 5, a wrong answer is first of all retrieval's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bench.aggregate import SystemEstimates, estimates
from bench.assembly import Assembly
from bench.build import build_index
from bench.config import compose
from bench.metrics.declared import metric
from bench.progress import counted
from bench.records import Prediction, Sample, Score
from bench.reporting import numbers
from systems.base import Filters, UserError

MEASURES = ("success_at_5", "recall_at_1", "recall_at_5", "recall_at_10", "mrr", "ndcg_at_10")
DEPTH = 10
"""Chunks asked for, at least: what the deepest measure looks at."""


def retrieve(assembly: Assembly, name: str, samples: Sequence[Sample]) -> list[Prediction]:
    """What a config's retriever finds for the samples."""
    index, _ = build_index(assembly)
    try:
        node = assembly.config.retriever
        retriever = assembly.retriever(node, index, DEPTH, [sample.query.search_text() for sample in samples])
        found = []
        for sample in counted(f"{name}: retrieving", samples):
            query = sample.query
            hits, timings = retriever.retrieve(query.search_text(), Filters(role=query.role, **query.filters))
            found.append(
                Prediction(
                    system=name,
                    task=sample.task,
                    sample=sample.id,
                    retrieved=tuple(hit.chunk.id for hit in hits),
                    retrieved_documents=tuple(hit.chunk.document for hit in hits),
                    timings=timings,
                )
            )
        return found
    finally:
        index.close()


def measure(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> dict[str, SystemEstimates]:
    """Every measure with its interval, per retriever and task."""
    by_id = {(sample.task, sample.id): sample for sample in samples}
    metrics = [metric(name) for name in MEASURES]
    scores = [
        Score(
            system=one.system,
            task=one.task,
            sample=one.sample,
            repeat=0,
            metric=each.name,
            value=each.score(by_id[one.task, one.sample], one, {}).value,
        )
        for one in predictions
        for each in metrics
    ]
    return estimates(samples, predictions, scores, metrics)


def table(found: dict[str, SystemEstimates], tasks: Sequence[str]) -> str:
    """A block per task, a line per retriever."""
    lines: list[str] = []
    for task in ["suite", *tasks] if len(tasks) > 1 else tasks:
        lines += ["", f"{task:18}" + "".join(f"{name:>20}" for name in MEASURES)]
        for name, one in found.items():
            values = one.measures if task == "suite" else one.tasks[task]
            cells = [numbers.with_interval(values[key].to_json()) for key in MEASURES]
            lines.append(f"{name:18}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines[1:]).replace(numbers.SPACE, " ")


def main(arguments: list[str]) -> int:
    """``bench retrieve [retrievers=bm25,dense,fused] [key=value ...] [--json]``."""
    chosen = [argument for argument in arguments if argument.startswith("retrievers=")]
    names = chosen[-1].partition("=")[2].split(",") if chosen else ["bm25", "dense", "fused"]
    overrides = [one for one in arguments if one not in (*chosen, "--json")]
    if any(one.startswith("retriever=") for one in overrides):
        raise UserError("retriever=: say retrievers=NAME or several, as retrievers=bm25,dense")
    assemblies = {name: Assembly(compose([*overrides, "systems=retrieval", f"retriever={name}"])) for name in names}
    suite = next(iter(assemblies.values())).suite
    samples = [sample for sample in suite.samples() if sample.relevant]
    if not samples:
        raise UserError("suite: no sample says which documents are relevant, so there is nothing to find")
    found = measure(samples, [one for name, each in assemblies.items() for one in retrieve(each, name, samples)])
    tasks = list(dict.fromkeys(sample.task for sample in samples))
    if "--json" in arguments:
        print(json.dumps(_plain(found, samples, len(suite.corpus)), indent=1))
    else:
        print(f"{len(samples)} questions, {len(suite.corpus)} documents\n\n{table(found, tasks)}")
    return 0


def _plain(found: dict[str, SystemEstimates], samples: Sequence[Sample], documents: int) -> dict[str, Any]:
    return {
        "questions": len(samples),
        "documents": documents,
        "retrievers": {name: one.to_json() for name, one in found.items()},
    }
