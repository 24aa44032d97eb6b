"""The pocket model: the embedded default that makes everything run with nothing to download."""

from __future__ import annotations

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
"""A checkpoint directory as transformers and vLLM load it."""
