"""RAGChecker's own figures from its own verdicts on claims."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.metrics.claims import MEASURES, Entailments
from tests.oracles.row import Row

THEIRS = {"context_utilisation": "context_utilization"}


def rows(folder: Path) -> Iterator[Row]:
    """A row per measure: the mean in percent, and every one of its answers besides."""
    results = json.loads((folder / "checking_outputs.json").read_text(encoding="utf-8"))
    published = {name: value for group in results["metrics"].values() for name, value in group.items()}
    found = [_entailments(one) for one in results["results"]]
    for name, measure in MEASURES.items():
        theirs = THEIRS.get(name, name)
        values = [measure(one) for one in found]
        alike = all(
            value == one["metrics"][theirs] or abs((value or 0) - (one["metrics"][theirs] or 0)) < 1e-9
            for value, one in zip(values, results["results"], strict=True)
        )
        got = 100 * sum(filter(None, values)) / len(values)
        expected = float(published[theirs])
        told = f"{got:.1f}" if alike else f"{got:.1f}, but not answer by answer"
        ok = alike and abs(got - expected) <= 0.05
        what = f"{name}, % over {len(values)} answers, and each of them"
        yield Row(oracle="RAGChecker", what=what, expected=f"{expected:.1f}", got=told, ok=ok)


def _entailments(one: dict[str, Any]) -> Entailments:
    return Entailments(
        right=_entailed(one["answer2response"]),
        covered=_entailed(one["response2answer"]),
        chunks_to_answer=_entailed(one["retrieved2response"]),
        chunks_to_reference=_entailed(one["retrieved2answer"]),
    )


def _entailed(verdicts: list[Any]) -> Any:
    return tuple(_entailed(one) if isinstance(one, list) else one == "Entailment" for one in verdicts)
