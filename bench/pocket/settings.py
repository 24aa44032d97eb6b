"""Every number of the pocket model's recipe."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from systems.base import UserError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every number of the recipe. ``key=value`` on the command line changes one."""

    out: str = "pocket"
    seed: int = 7
    tokens: int = 29_000_000
    """Tokens read in all phases."""
    copying_tokens: int = 1_000_000
    """Tokens of the first phase: looking back at all."""
    recalling_tokens: int = 4_500_000
    """Tokens of the second phase: looking up by a name."""
    vocabulary: int = 2048
    context: int = 2048
    """Positions the exported model declares."""
    rope_theta: float = 100_000.0
    embedding_scale: float = 0.5
    """Standard deviation of the embeddings at the start."""
    layers: int = 4
    width: int = 192
    heads: int = 6
    feed_forward: int = 512
    batch_tokens: int = 4096
    held_tokens: int = 5_500_000
    """Tokens during which the first layer looks back by fixed distances; then it may learn others."""
    early_batch_tokens: int = 2048
    """In the first two phases, which want many steps more than calm ones."""
    learning_rate: float = 3e-3
    """Of embeddings and norms; with ``adamw`` of everything."""
    matrix_learning_rate: float = 5e-3
    """Of the matrices inside the layers, under Muon."""
    optimiser: str = "muon"
    context_loss_weight: float = 0.4
    """Weight of the loss on those prompt tokens that it is taken on; answers weigh 1."""
    context_loss_share: float = 0.25
    """Share of the prompt tokens that the loss is taken on, to save the output layer's time."""
    evaluate_every: int = 500
    checkpoint_every: int = 300
    device: str = "auto"
    threads: int = 0
    """CPU threads; 0: all that this process may use."""
    compile: bool = True


def parse(arguments: list[str]) -> Recipe:
    """``key=value`` arguments as a recipe."""
    known = {field.name: field for field in fields(Recipe)}
    values: dict[str, Any] = {}
    for argument in arguments:
        key, mark, text = argument.partition("=")
        if not mark or key not in known:
            raise UserError(f"{argument!r}: give key=value with one of: {', '.join(known)}")
        kind = type(getattr(Recipe(), key))
        try:
            values[key] = text.lower() in ("1", "true") if kind is bool else kind(text)
        except ValueError:
            raise UserError(f"{argument!r}: {key} must be a {kind.__name__}") from None
    return Recipe(**values)
