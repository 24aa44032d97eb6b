"""The 2 × 2 grid as contrasts: what retrieval adds, what tuning adds, and whether the two add up."""

from __future__ import annotations

GRID = ("prompt", "rag", "finetuned", "hybrid")
"""The order of the coefficients below."""

CONTRASTS: dict[str, tuple[float, float, float, float]] = {
    "retrieval": (-0.5, 0.5, -0.5, 0.5),
    "tuning": (-0.5, -0.5, 0.5, 0.5),
    "interaction": (1.0, -1.0, -1.0, 1.0),
}
"""Mean gain from retrieval over both kinds of weights; mean gain from tuning, with and without retrieval; gain from
retrieval on tuned weights less its gain on base weights: below 0 the two overlap."""
