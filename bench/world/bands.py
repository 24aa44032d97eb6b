"""How often a plain retriever finds the page that answers a question: no level is to be trivial or hopeless."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """Bounds of a share, both of them inside."""

    low: float
    high: float

    def __contains__(self, share: float) -> bool:
        return self.low <= share <= self.high


BANDS = {1: Band(0.95, 1.0), 2: Band(0.75, 0.95), 3: Band(0.5, 0.8)}
"""Level of ``documents.LEVELS`` → success@5 on factual questions of BM25 and of the default embedder alike."""
