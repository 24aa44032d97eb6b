"""Merge an adapter into its base model: for DoRA, and for latency without the adapter machinery."""

from __future__ import annotations

from pathlib import Path

from systems.model import Model


def merge(model: Model, adapter: str, out: Path) -> Path:
    """A checkpoint at ``out``, in the base model's type, that answers like it does with the adapter attached."""
    from peft import PeftModel
    from transformers import AutoConfig, AutoModelForCausalLM

    declared = AutoConfig.from_pretrained(
        model.path, revision=model.revision, trust_remote_code=model.trust_remote_code
    ).dtype
    network = AutoModelForCausalLM.from_pretrained(
        model.path, revision=model.revision, dtype="float32", trust_remote_code=model.trust_remote_code
    )
    merged = PeftModel.from_pretrained(network, adapter).merge_and_unload().to(declared or network.dtype)
    merged.save_pretrained(str(out))
    model.tokenizer.save_pretrained(str(out))
    return out
