"""The default engine: vLLM where it is installed, transformers elsewhere."""

from __future__ import annotations

from typing import Any

from systems.engines.transformers import TransformersEngine
from systems.engines.vllm import VllmEngine, installed
from systems.model import Model


def auto(model: Model, max_lora_rank: int = 16, **settings: Any) -> VllmEngine | TransformersEngine:
    """``settings`` are those both engines have (``dtype``, ``quantization``). The manifest says which it was."""
    if installed():
        return VllmEngine(model=model, max_lora_rank=max_lora_rank, **settings)
    return TransformersEngine(model=model, **settings)
