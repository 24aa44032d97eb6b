"""Train the pocket model from nothing: ``python -m bench.pocket.recipe out=DIR [tokens=N] [minutes=M] ...``

Reads top to bottom: tokenizer, model, optimiser, two phases, export. Killed at any moment, the same
command goes on from its last checkpoint. On two quiet cores the default takes under 90 minutes; on a GPU
the same recipe takes minutes and ``tokens`` may be raised.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.pocket.mixture import DONT_KNOW, MAIN, WARM_UP, Conversation, conversations
from bench.pocket.packing import Block, Encoded, blocks, encode, pack
from bench.pocket.tokenizer import train_tokenizer
from systems.base import UserError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every number of the recipe. ``key=value`` on the command line changes one."""

    out: str = "pocket"
    seed: int = 7
    tokens: int = 34_000_000
    """Tokens read in both phases."""
    warm_up_tokens: int = 2_000_000
    """Tokens of the first phase: copying and single passages."""
    vocabulary: int = 2048
    context: int = 2048
    """Positions the exported model declares."""
    layers: int = 4
    width: int = 192
    heads: int = 3
    feed_forward: int = 512
    batch_tokens: int = 4096
    learning_rate: float = 3e-3
    """Of embeddings and norms; with ``adamw`` of everything."""
    matrix_learning_rate: float = 5e-3
    """Of the matrices inside the layers, under Muon."""
    optimiser: str = "muon"
    context_loss_weight: float = 0.4
    """Weight of the loss on those prompt tokens that it is taken on; answers weigh 1."""
    context_loss_share: float = 0.25
    """Share of the prompt tokens that the loss is taken on, to save the output layer's time."""
    evaluate_every: int = 300
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


def tokenizer_for(recipe: Recipe) -> PreTrainedTokenizerBase:
    """The tokenizer, trained on the first conversations of its own seed."""
    sample = itertools.islice(conversations(f"tokenizer-{recipe.seed}", MAIN), 6000)
    texts = (message.content for conversation in sample for message in conversation.messages)
    return train_tokenizer(texts, recipe.vocabulary, recipe.context)


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
    """Factor on the learning rate when the share ``done`` of all tokens is read: a short rise, then straight down."""
    rise = 0.01
    return done / rise + 1e-3 if done < rise else max(0.02, (1 - done) / (1 - rise))


def reading(recipe: Recipe, tokenizer: PreTrainedTokenizerBase, phase: str, skip: int) -> Iterator[Block]:
    """Blocks of a phase; after a restart the stream goes on under another seed, so nothing is read twice."""
    mixture = WARM_UP if phase == "warm-up" else MAIN
    stream = (encode(c, tokenizer) for c in conversations(f"{phase}-{recipe.seed}-{skip}", mixture))
    return blocks(stream, recipe.batch_tokens, (512, 1024), recipe.seed + skip)


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


def evaluate(model: Any, held_out: list[Encoded], tokenizer: PreTrainedTokenizerBase, device: str) -> dict[str, float]:
    """Share of answers whose every token is the model's first choice: what greedy decoding would write."""
    import torch

    right: dict[str, list[bool]] = defaultdict(list)
    refusal = tokenizer(DONT_KNOW + "<|end|>", add_special_tokens=False)["input_ids"]
    for start in range(0, len(held_out), 8):
        batch = held_out[start : start + 8]
        block = pack(len(batch), 1024, [[item] for item in batch])
        with torch.inference_mode():
            choice = model.lm_head(forward(model, block, device)).argmax(-1).cpu().numpy()
        for row, item in enumerate(batch):
            flags = item.answers
            starts = np.flatnonzero(flags & ~np.roll(flags, 1))
            stops = np.flatnonzero(flags & ~np.roll(flags, -1)) + 1
            for first, last in zip(starts, stops, strict=True):
                hit = bool((choice[row, first - 1 : last - 1] == item.tokens[first:last]).all())
                refused = item.skill == "facts" and item.tokens[first:last].tolist() == refusal
                right["absent" if refused else item.skill].append(hit)
    return {skill: float(np.mean(hits)) for skill, hits in sorted(right.items())}


def _held_out(recipe: Recipe, tokenizer: PreTrainedTokenizerBase, count: int) -> list[Encoded]:
    stream: Iterator[Conversation] = conversations(f"held-out-{recipe.seed}", MAIN)
    encoded = (encode(conversation, tokenizer) for conversation in stream)
    return list(itertools.islice((item for item in encoded if len(item.tokens) <= 1024), count))


def export(model: Any, tokenizer: PreTrainedTokenizerBase, recipe: Recipe, log: list[dict[str, Any]]) -> Path:
    """Weights in bfloat16, tokenizer, recipe and learning curve, as a directory transformers can load."""
    import copy

    import torch

    out = Path(recipe.out) / "weights"
    copy.deepcopy(model).to("cpu", torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    settings = {name: value for name, value in asdict(recipe).items() if name != "out"}
    Path(recipe.out, "curve.json").write_text(json.dumps({"recipe": settings, "curve": log}, indent=1) + "\n")
    return out


def train(recipe: Recipe) -> Path:
    """Run the recipe and return the directory of the weights."""
    import torch
    from transformers import AutoTokenizer

    device = ("cuda" if torch.cuda.is_available() else "cpu") if recipe.device == "auto" else recipe.device
    out = Path(recipe.out)
    out.mkdir(parents=True, exist_ok=True)
    # Said outright: left to itself, OpenMP has been seen to settle on one thread here.
    torch.set_num_threads(recipe.threads or len(os.sched_getaffinity(0)))
    torch.manual_seed(recipe.seed)
    generator = np.random.default_rng(recipe.seed)
    kept = out / "tokenizer"
    if not kept.exists():
        tokenizer_for(recipe).save_pretrained(kept)
    # Read back also at the start: a restart must not meet another one, whatever became of the mixture meanwhile.
    tokenizer = AutoTokenizer.from_pretrained(kept)
    held_out = _held_out(recipe, tokenizer, 160)
    model = new_model(recipe).to(device)
    found = optimisers(model, recipe)
    for optimiser in found:
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
    read, step, seconds, log = 0, 0, 0.0, []
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(found, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        read, step, seconds, log = state["read"], state["step"], state["seconds"], json.loads(state["log"])
    parameters = sum(p.numel() for p in model.parameters())
    print(f"pocket: {parameters:,} parameters on {device}, {read:,} of {recipe.tokens:,} tokens read", flush=True)
    if recipe.compile:
        model.model.compile(dynamic=False)
    phase, started = "", time.monotonic()
    source: Iterator[Block] = iter(())
    while read < recipe.tokens:
        wanted = "warm-up" if read < recipe.warm_up_tokens else "main"
        if wanted != phase:
            phase, source = wanted, reading(recipe, tokenizer, wanted, read)
        for optimiser in found:
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * learning_rate(read / recipe.tokens)
        with torch.autocast(device, torch.bfloat16):
            loss = loss_of(model, next(source), recipe, device, generator)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in found:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        read, step = read + recipe.batch_tokens, step + 1
        last = read >= recipe.tokens
        if step % recipe.evaluate_every == 0 or last:
            model.eval()
            with torch.autocast(device, torch.bfloat16):
                exact = evaluate(model, held_out, tokenizer, device)
            model.train()
            now = seconds + time.monotonic() - started
            log.append(
                {"tokens": read, "seconds": round(now, 1), "loss": round(float(loss.detach()), 4), "exact": exact}
            )
            skills = "  ".join(f"{skill} {share:.2f}" for skill, share in exact.items())
            print(
                f"{read / 1e6:6.2f}M tokens  {now / 60:5.1f} min  loss {float(loss.detach()):.3f}  {skills}", flush=True
            )
        if step % recipe.checkpoint_every == 0 or last:
            state = {
                "model": model.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in found],
                "read": read,
                "step": step,
                "seconds": seconds + time.monotonic() - started,
                "log": json.dumps(log),
            }
            torch.save(state, checkpoint.with_suffix(".part"))
            os.replace(checkpoint.with_suffix(".part"), checkpoint)
    return export(model, tokenizer, recipe, log)


if __name__ == "__main__":
    try:
        print(train(parse(sys.argv[1:])))
    except UserError as error:
        sys.exit(f"recipe: {error}")
