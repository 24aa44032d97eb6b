"""Trains a small cross-encoder on labelled pairs, from the packaged MiniLM weights or others."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from systems.base import UserError
from systems.knowledge.embedding import packaged_minilm


@dataclass(frozen=True, kw_only=True)
class RerankerPair:
    """A query, a passage as a reranker reads it (``points.indexed_text``), and its relevance from 0 to 1."""

    query: str
    passage: str
    label: float


def train_reranker(
    pairs: Sequence[RerankerPair],
    out: Path,
    steps: int,
    seed: int,
    base: Path | str | None = None,
    batch_size: int = 16,
    learning_rate: float = 5e-5,
    max_tokens: int = 256,
    device: str | None = None,
) -> Path:
    """Binary cross-entropy for ``steps`` batches; writes the model to ``out`` as safetensors and returns ``out``.

    ``base`` is a model directory, the packaged MiniLM if ``None``; ``device`` as torch names it, ``None`` for the
    best there is. The same pairs, steps and seed give the same model on the same machine.
    """
    if steps < 1:
        raise UserError(f"reranker training: steps={steps} must be 1 or more")
    if not any(pair.label > 0.5 for pair in pairs) or not any(pair.label <= 0.5 for pair in pairs):
        raise UserError("reranker training: needs pairs with labels above and below 0.5, or there is nothing to tell")
    from datasets import Dataset
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
    from transformers import PrinterCallback, set_seed

    set_seed(seed)  # the new classification head is drawn when the model is made
    model = CrossEncoder(
        str(base or packaged_minilm()),
        num_labels=1,
        max_length=max_tokens,
        device=device,
        model_kwargs={"use_safetensors": True},
    )
    columns = {
        "query": [pair.query for pair in pairs],
        "passage": [pair.passage for pair in pairs],
        "label": [float(pair.label) for pair in pairs],
    }
    with tempfile.TemporaryDirectory() as scratch:
        arguments = CrossEncoderTrainingArguments(
            output_dir=scratch,
            max_steps=steps,
            per_device_train_batch_size=batch_size,
            learning_rate=learning_rate,
            warmup_steps=max(1, steps // 10),
            seed=seed,
            data_seed=seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
            use_cpu=model.device.type == "cpu",
            dataloader_pin_memory=False,
        )
        trainer = CrossEncoderTrainer(
            model=model, args=arguments, train_dataset=Dataset.from_dict(columns), loss=BinaryCrossEntropyLoss(model)
        )
        trainer.remove_callback(PrinterCallback)  # it prints a summary to standard output
        trainer.train()
    model.save_pretrained(str(out), safe_serialization=True, create_model_card=False)
    return Path(out)
