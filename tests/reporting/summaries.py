"""Small summaries worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any


def share(value: float | None, n: int = 100, **more: Any) -> dict[str, Any]:
    low, high = (None, None) if value is None else (max(value - 0.05, 0), min(value + 0.05, 1))
    return {"estimate": value, "low": low, "high": high, "n": n, "unit": "share", **more}


def comparison(
    a: str,
    b: str,
    difference: float,
    p_holm: float,
    *,
    measure: str = "accuracy",
    task: str = "suite",
    mde: float = 0.12,
) -> dict[str, Any]:
    return {
        "measure": measure,
        "task": task,
        "a": a,
        "b": b,
        "difference": difference,
        "low": difference - 0.05,
        "high": difference + 0.05,
        "test": "exact McNemar",
        "p_value": p_holm / 6,
        "p_holm": p_holm,
        "mde": mde,
        "n": 100,
    }


def summary(
    values: Mapping[str, float], shown: set[frozenset[str]], *, measure: str = "accuracy", **run: Any
) -> dict[str, Any]:
    """Systems with one measure; the pairs in ``shown`` differ significantly, all pairs were compared."""
    return {
        "run": {
            "id": "r",
            "experiment": "e",
            "seed": 1,
            "model": "qwen",
            "engine": "vllm",
            "started": "s",
            "finished": "f",
            "commit": "c",
            "grid": "practical",
            "parity": "on",
            **run,
        },
        "planned": 10,
        "completed": 10,
        "systems": {
            name: {"measures": {measure: share(value)}, "tasks": {"facts": {measure: share(value)}}}
            for name, value in values.items()
        },
        "comparisons": [
            comparison(a, b, values[a] - values[b], 0.01 if frozenset((a, b)) in shown else 0.4, measure=measure)
            for a, b in combinations(values, 2)
        ],
    }


def pairs(*names: str) -> set[frozenset[str]]:
    return {frozenset(name.split("-")) for name in names}
