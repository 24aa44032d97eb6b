"""The pocket model's network, its optimisers and its loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.pocket.packing import Block
from bench.pocket.settings import Recipe

if TYPE_CHECKING:
    import torch

MIN_TURN = 0.05
"""Radians per token: slower rotary pairs tell no neighbours apart."""
LOOK_BACK_SHARPNESS = 8.0


def new_model(recipe: Recipe) -> Any:
    """A Llama of the recipe's size with random weights, in which every layer begins by adding nothing.

    Embeddings are large against what layers add, so that later layers still see which token stands where: with the
    usual 0.02 the layers' output drowns rare tokens, and matching the pieces of a name was never learned. The last
    norm takes the scale out again before the output layer, which shares the embeddings.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    settings: dict[str, Any] = {
        "attn_implementation": "sdpa",
        "rope_parameters": {"rope_type": "default", "rope_theta": recipe.rope_theta},
    }
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
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.model.embed_tokens.weight.normal_(0, recipe.embedding_scale)
        model.model.norm.weight.fill_(0.05 / recipe.embedding_scale)
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    look_back(model, recipe)
    return model


def look_back(model: Any, recipe: Recipe) -> None:
    """Let head ``h`` of the first layer attend to the token ``h + 1`` places back.

    Matching a name across a question takes two layers that are of no use without each other: one that tells every token
    which tokens stand before it, one that compares. With both random, the second never formed in 30 M tokens; with the
    first one given, it does within one. (Starting from the attention that trained models end with: Trockman & Kolter,
    2023; that small models gain from seeing their neighbours directly: Allen-Zhu, 2025, on Canon layers.)

    A direction common to all embeddings makes queries and keys constant; rotary positions then turn the constant key of
    a head so that it meets the query at one distance alone. Only pairs that turn fast enough take part.
    """
    import torch

    width, size = recipe.width, recipe.width // recipe.heads
    half = size // 2
    common = torch.randint(0, 2, (width,)) * 2.0 - 1.0
    turns = recipe.rope_theta ** (-2 * torch.arange(half) / size)
    fast = turns >= MIN_TURN
    # Attention logits: LOOK_BACK_SHARPNESS for every pair that agrees. Normalised embeddings reach
    # sqrt(width / 2) along the common direction, since it holds half of their square.
    amplitude = (LOOK_BACK_SHARPNESS * math.sqrt(size)) ** 0.5 / math.sqrt(width / 2)
    query, key = torch.zeros(width, width), torch.zeros(width, width)
    for head in range(recipe.heads):
        angles = (head + 1) * turns
        rows = head * size + torch.arange(half)
        query[rows] = torch.outer(amplitude * fast, common / math.sqrt(width))
        key[rows] = torch.outer(amplitude * fast * angles.cos(), common / math.sqrt(width))
        key[rows + half] = torch.outer(amplitude * fast * angles.sin(), common / math.sqrt(width))
    attention = model.model.layers[0].self_attn
    with torch.no_grad():
        model.model.embed_tokens.weight.add_(recipe.embedding_scale * common)
        attention.q_proj.weight.copy_(query)
        attention.k_proj.weight.copy_(key)
        attention.v_proj.weight.normal_(0, width**-0.5)
        attention.o_proj.weight.normal_(0, recipe.embedding_scale / 2 * size**-0.5)


def hold(model: Any, held: bool) -> None:
    """Keep where the first layer looks as it is, or let it be learned like the rest."""
    attention = model.model.layers[0].self_attn
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight.requires_grad_(not held)


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


def learning_rate(read: int, recipe: Recipe) -> float:
    """Factor on the learning rate when ``read`` tokens are read.

    A short rise, the full rate until the middle of the recalling phase, 0.4 at its end, then straight to almost
    nothing: at the full rate, citing did not form in 8 M tokens, at 0.3 within 2 M.
    """
    middle = recipe.copying_tokens + recipe.recalling_tokens / 2
    points = (0, 80_000, middle, middle + recipe.recalling_tokens / 2, recipe.tokens)
    return float(np.interp(read, points, (1e-3, 1.0, 1.0, 0.4, 0.006)))


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
