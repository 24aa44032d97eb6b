"""Shared parts: one MiniLM for all tests, and an embedder that writes down what it was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from systems.knowledge.embedding import SentenceTransformerEmbedder


class RecordingEmbedder:
    """Hashed bags of words as unit vectors: quick and deterministic. ``texts`` holds all it embedded."""

    def __init__(self, dimensions: int = 32, identity: str = "words") -> None:
        self.dimensions = dimensions
        self.identity = identity
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in [*text.lower().split(), "*"]:
                digest = hashlib.sha256(word.encode()).digest()
                row[digest[0] % self.dimensions] += 1 + digest[1] / 256
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def recording() -> RecordingEmbedder:
    return RecordingEmbedder()


@pytest.fixture(scope="session")
def minilm() -> SentenceTransformerEmbedder:
    import torch

    torch.set_num_threads(1)
    return SentenceTransformerEmbedder(device="cpu")
