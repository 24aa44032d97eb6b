"""The gate before a model is blamed: retrieval must show all the evidence first (METHOD: success@5 of 85 %)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.records import Estimate

MEASURE = "success_at_5"
LEAST = 0.85
"""Share of the queries with all required evidence among the first five."""


def gate(tasks: Mapping[str, Mapping[str, Estimate]]) -> dict[str, Any]:
    """Per task of a system with retrieval: ``passed``, ``not passed`` or ``cannot say``, and the estimate behind it.

    ``passed`` where the whole interval reaches the gate, ``not passed`` where none of it does; between the two, and
    where no relevant documents are labelled, nobody can say.
    """
    return {task: _verdict(measures.get(MEASURE)) for task, measures in tasks.items()}


def _verdict(found: Estimate | None) -> dict[str, Any]:
    if found is None or found.low is None or found.high is None:
        missing = "no relevant documents are labelled, or success@5 is not among the task's metrics"
        empty = Estimate(estimate=None, low=None, high=None, n=0, unit="share", reason=missing)
        return {"verdict": "cannot say", MEASURE: (found or empty).to_json()}
    verdict = "passed" if found.low >= LEAST else "not passed" if found.high < LEAST else "cannot say"
    return {"verdict": verdict, MEASURE: found.to_json()}
