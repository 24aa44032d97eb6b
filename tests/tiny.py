"""A model that is real in every part but size: the recipe's tokenizer and network, untrained, made in a moment."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

from bench.pocket.network import new_model
from bench.pocket.settings import Recipe
from bench.pocket.tokenizer import train_tokenizer
from bench.world.names import Namer
from bench.world.values import KINDS
from bench.world.wording import FRAMES
from systems.model import Adapter, Model

RECIPE = Recipe(
    vocabulary=400, context=16384, layers=2, width=32, heads=2, feed_forward=64, device="cpu", threads=1, compile=False
)


@cache
def tokenizer() -> Any:
    """Trained on invented names, values and questions."""
    rng = random.Random(5)
    namer = Namer(rng)
    texts = [f"The {kind.name} is {kind.draw(rng, namer)}." for kind in KINDS.values() for _ in range(20)]
    texts += [frame for frames in FRAMES.values() for frame in frames]
    return train_tokenizer(texts, RECIPE.vocabulary, RECIPE.context)


@cache
def network() -> Any:
    """Random weights, always the same ones."""
    import torch

    torch.manual_seed(3)
    return new_model(RECIPE).eval()


def write_model(directory: Path, *, weights: bool = False, **settings: Any) -> Model:
    """A checkpoint directory; without ``weights`` it has only what counts and builds prompts."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer().save_pretrained(directory)
    if weights:
        network().save_pretrained(directory)
    else:
        network().config.save_pretrained(directory)
    return Model(name="tiny", path=str(directory), **settings)


def write_adapter(directory: Path, weights: bytes = b"weights", **config: Any) -> Adapter:
    """An adapter directory with the given bytes as weights: enough to be named and checked, not to be run."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "adapter_model.safetensors").write_bytes(weights)
    (directory / "adapter_config.json").write_text(json.dumps(config))
    return Adapter(path=str(directory))
