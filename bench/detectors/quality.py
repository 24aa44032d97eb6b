"""What is known of the detectors themselves: each figure measured on labelled answers, with its 95 % interval."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def known() -> Mapping[str, Mapping[str, Any]]:
    """Detector → ``data`` and the figures, each as [estimate, low, high]."""
    path = Path(__file__).with_name("quality.json")
    loaded: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def quality_words(name: str, judged: int) -> str:
    """A sentence on how far a detector's verdicts can be trusted; ``judged``: how many answers it had a word on."""
    if name == "none":
        return "No detector judged the answers, so nothing is said of hallucination."
    if judged == 0:
        return f"None of the answers is of a kind that {name} judges, so nothing is said of hallucination: try another."
    if name not in known():
        return f"How good {name}’s verdicts are was not measured here: bench detect FILE does, on labelled responses."
    found = known()[name]
    parts = [
        f"{label} {100 * found[key][0]:.0f} % ({100 * found[key][1]:.0f}–{100 * found[key][2]:.0f})"
        for key, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
    ]
    area = found["auroc"]
    return f"{name} itself: {', '.join(parts)}, AUROC {area[0]:.2f} ({area[1]:.2f}–{area[2]:.2f}), on {found['data']}."
