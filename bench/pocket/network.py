"""The pocket model's network, its optimisers and its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.pocket.packing import Block
from bench.pocket.settings import Recipe

if TYPE_CHECKING:
    import torch


def new_model(recipe: Recipe) -> Any:
    """A Llama of the recipe's size with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    settings: dict[str, Any] = {"attn_implementation": "sdpa"}
    config = LlamaConfig(
        vocab_size=recipe.vocabulary,
        hidden_size=recipe.width,
        intermediate_size=recipe.feed_forward,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        **settings,
    )
    return LlamaForCausalLM(config)


def optimisers(model: Any, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the matrices inside the layers, AdamW for all else."""
    import torch

    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "layers" in name]
    others = [p for name, p in model.named_parameters() if not (p.ndim == 2 and "layers" in name)]
    if recipe.optimiser == "adamw":
        others, matrices = others + matrices, []
    found: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
    ]
    if matrices:
        found.append(
            torch.optim.Muon(
                matrices, lr=recipe.matrix_learning_rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"
            )
        )
    return found


def learning_rate(done: float) -> float:
    """Factor on the learning rate when the share ``done`` of all tokens is read.

    A short rise, the full rate while copying forms, then 0.3 falling straight to almost nothing: at the full rate,
    telling passages apart did not form in 8 M tokens, at 0.3 within 2 M.
    """
    rise, drop = 0.01, 0.25
    if done < rise:
        return done / rise + 1e-3
    return float(np.interp(done, (rise, drop, drop + 1e-3, 1.0), (1.0, 0.75, 0.3, 0.006)))


def forward(model: Any, block: Block, device: str) -> torch.Tensor:
    """Hidden states, shape (rows, length, width); a token attends to its own conversation only."""
    import torch

    documents = torch.from_numpy(block.documents).to(device)
    length = documents.shape[1]
    mask = documents[:, :, None] == documents[:, None, :]
    mask &= torch.ones(length, length, dtype=torch.bool, device=device).tril()
    return model.model(
        input_ids=torch.from_numpy(block.tokens).to(device),
        position_ids=torch.from_numpy(block.positions).to(device),
        attention_mask=mask[:, None],
        use_cache=False,
    ).last_hidden_state


def loss_of(model: Any, block: Block, recipe: Recipe, device: str, generator: np.random.Generator) -> torch.Tensor:
    """Next-token loss: answers in full, a share of the prompt lightly."""
    import torch

    hidden = forward(model, block, device)[:, :-1].reshape(-1, recipe.width)
    same = block.documents[:, 1:] == block.documents[:, :-1]
    answers = (block.answers[:, 1:] & same).reshape(-1)
    prompt = ((~block.answers[:, 1:]) & same & (block.documents[:, 1:] >= 0)).reshape(-1)
    prompt &= generator.random(prompt.shape) < recipe.context_loss_share
    chosen = np.flatnonzero(answers | prompt)
    targets = torch.from_numpy(block.tokens[:, 1:].reshape(-1)[chosen]).to(device)
    weights = np.where(answers[chosen], 1.0, recipe.context_loss_weight)
    weight = torch.from_numpy(weights.astype(np.float32)).to(device)
    logits = model.lm_head(hidden[torch.from_numpy(chosen).to(device)])
    losses = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")
    return (losses * weight).sum() / weight.sum()
