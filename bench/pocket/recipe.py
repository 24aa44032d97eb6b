"""Train the pocket model from nothing: ``python -m bench.pocket.recipe out=DIR [tokens=N] [seed=S] ...``

Reads top to bottom: tokenizer, model, optimiser, three phases, export. Killed at any moment, the same
command goes on from its last checkpoint. On two quiet cores the default takes under 90 minutes; on a GPU
the same recipe takes minutes and ``tokens`` may be raised.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.pocket.held_out import evaluate, held_out
from bench.pocket.mixture import COPYING, MAIN, RECALLING, Mixture, conversations
from bench.pocket.network import hold, learning_rate, loss_of, new_model, optimisers
from bench.pocket.packing import Block, blocks, encode
from bench.pocket.settings import Recipe, parse
from bench.pocket.tokenizer import train_tokenizer
from systems.base import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def tokenizer_for(recipe: Recipe) -> PreTrainedTokenizerBase:
    """The tokenizer, trained on the first conversations of its own seed."""
    sample = itertools.islice(conversations(f"tokenizer-{recipe.seed}", MAIN), 6000)
    texts = (message.content for conversation in sample for message in conversation.messages)
    return train_tokenizer(texts, recipe.vocabulary, recipe.context)


@dataclass(frozen=True)
class Phase:
    """What is read until ``stop`` tokens are, in blocks of ``batch_tokens``."""

    name: str
    mixture: Mixture
    stop: int
    batch_tokens: int
    lengths: tuple[int, ...]

    def reading(self, recipe: Recipe, tokenizer: PreTrainedTokenizerBase, skip: int) -> Iterator[Block]:
        """Its blocks; after a restart the stream goes on under another seed, so nothing is read twice."""
        stream = (encode(c, tokenizer) for c in conversations(f"{self.name}-{recipe.seed}-{skip}", self.mixture))
        return blocks(stream, self.batch_tokens, self.lengths, recipe.seed + skip)


def phases(recipe: Recipe) -> tuple[Phase, ...]:
    """The phases in order."""
    copied = recipe.copying_tokens
    recalled = copied + recipe.recalling_tokens
    return (
        Phase("copying", COPYING, copied, recipe.early_batch_tokens, (512,)),
        Phase("recalling", RECALLING, recalled, recipe.early_batch_tokens, (512,)),
        Phase("main", MAIN, recipe.tokens, recipe.batch_tokens, (512, 1024)),
    )


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
        part = out / "tokenizer.part"
        tokenizer_for(recipe).save_pretrained(part)
        part.rename(kept)
    # Read back also at the start: a restart must not meet another one, whatever became of the mixture meanwhile.
    tokenizer = AutoTokenizer.from_pretrained(kept)
    answers = held_out(recipe.seed, tokenizer, 160)
    model = new_model(recipe).to(device)
    found = optimisers(model, recipe)
    for optimiser in found:
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
    read, step, seconds, log = 0, 0, 0.0, []
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        if json.loads(state.get("recipe", "null")) != _numbers(recipe):
            raise UserError(f"{checkpoint}: was made by another recipe; choose another place with out=DIR")
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(found, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        read, step, seconds, log = state["read"], state["step"], state["seconds"], json.loads(state["log"])
    parameters = sum(p.numel() for p in model.parameters())
    print(f"pocket: {parameters:,} parameters on {device}, {read:,} of {recipe.tokens:,} tokens read", flush=True)
    if recipe.compile:
        model.model.compile(dynamic=False)
    phase: Phase | None = None
    started = time.monotonic()
    source: Iterator[Block] = iter(())
    while read < recipe.tokens:
        wanted = next(known for known in phases(recipe) if read < known.stop)
        if wanted != phase:
            phase, source = wanted, wanted.reading(recipe, tokenizer, read)
        for optimiser in found:
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * learning_rate(read, recipe)
        hold(model, read < recipe.held_tokens)
        with torch.autocast(device, torch.bfloat16):
            loss = loss_of(model, next(source), recipe, device, generator)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in found:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        read, step = read + phase.batch_tokens, step + 1
        last = read >= recipe.tokens
        if step % recipe.evaluate_every == 0 or last:
            model.eval()
            with torch.autocast(device, torch.bfloat16):
                exact = evaluate(model, answers, tokenizer, device)
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
                "recipe": json.dumps(_numbers(recipe)),
            }
            torch.save(state, checkpoint.with_suffix(".part"))
            os.replace(checkpoint.with_suffix(".part"), checkpoint)
    return export(model, tokenizer, recipe, log)


def _numbers(recipe: Recipe) -> dict[str, Any]:
    """What a checkpoint's training rests on; where it is written, how far and on what it is computed is free."""
    free = ("out", "tokens", "device", "threads", "compile", "evaluate_every", "checkpoint_every")
    return {name: value for name, value in asdict(recipe).items() if name not in free}


if __name__ == "__main__":
    try:
        print(train(parse(sys.argv[1:])))
    except UserError as error:
        sys.exit(f"recipe: {error}")
