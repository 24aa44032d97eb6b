"""Ranked chunks to better ranked chunks: a cross-encoder that reads query and chunk together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from systems.artifacts import content_hash, hub_commit, tree_hash
from systems.base import Hit, UserError
from systems.knowledge.points import indexed_text


@dataclass(frozen=True)
class CrossEncoderReranker:
    """A sentence-transformers cross-encoder; loaded when first used.

    ``name`` is a directory (as ``reranker_training`` writes one) or a model of the hub (pin its
    ``revision``). Query and chunk together are cut at ``max_tokens``. ``device="auto"`` takes CUDA, then
    MPS, then the CPU.
    """

    name: str
    batch_size: int = 32
    max_tokens: int = 256
    dtype: Literal["float32", "bfloat16"] = "float32"
    device: str = "auto"
    revision: str | None = None

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "bfloat16"):
            raise UserError(f"reranker.dtype={self.dtype}: must be float32 or bfloat16")
        for key in ("batch_size", "max_tokens"):
            if getattr(self, key) < 1:
                raise UserError(f"reranker.{key}={getattr(self, key)}: must be 1 or more")

    @cached_property
    def identity(self) -> str:
        """The weights by hash (a hub model by its revision), and the settings that change a score."""
        weights = tree_hash(self.name) if Path(self.name).is_dir() else hub_commit(self.name, self.revision)
        return f"{Path(self.name).name}-{content_hash([self.name, weights, self.max_tokens, self.dtype])[:16]}"

    def rerank(self, text: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits by the model's score, best first; equal scores keep their order."""
        if not hits:
            return []
        pairs = [(text, indexed_text(hit.chunk)) for hit in hits]
        scores = self._model.predict(pairs, batch_size=self.batch_size, show_progress_bar=False, convert_to_tensor=True)
        scored = [Hit(chunk=hit.chunk, score=float(score)) for hit, score in zip(hits, scores.float(), strict=True)]
        return sorted(scored, key=lambda hit: -hit.score)

    @cached_property
    def _model(self) -> Any:
        try:
            import torch
            from sentence_transformers import CrossEncoder
        except ImportError:
            raise UserError(
                "reranker: needs sentence-transformers; install it with: pip install sentence-transformers"
            ) from None
        try:
            return CrossEncoder(
                self.name,
                num_labels=1,
                max_length=self.max_tokens,
                device=None if self.device == "auto" else self.device,
                revision=self.revision,
                model_kwargs={"dtype": getattr(torch, self.dtype), "use_safetensors": True},
            )
        except (OSError, ValueError) as error:
            raise UserError(
                f"reranker.name={self.name}: not a cross-encoder directory or hub model with safetensors: "
                f"{' '.join(str(error).split())[:200]}"
            ) from error
