"""Merge an adapter into its base model: for DoRA, and for latency without the adapter machinery."""

from __future__ import annotations

from pathlib import Path

from systems.model import Model


def merge(model: Model, adapter: str, out: Path) -> Path:
    """A checkpoint at ``out`` that answers like the base model with the adapter attached."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(
        model.path, revision=model.revision, dtype="float32", trust_remote_code=model.trust_remote_code
    )
    merged = PeftModel.from_pretrained(network, adapter).merge_and_unload()
    merged.save_pretrained(str(out))
    model.tokenizer.save_pretrained(str(out))
    return out
