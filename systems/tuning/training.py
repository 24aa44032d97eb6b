"""LoRA training through PEFT and TRL: completion-only loss, packed, with a record of what it took."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from systems.base import UserError
from systems.ending import held_back
from systems.model import Model, check_device
from systems.tuning.checkpoints import KEPT, checkpointing, latest, seconds_of
from systems.tuning.examples import TokenExample

DTYPES = ("float32", "bfloat16", "float16")
STRATEGIES = ("none", "ddp", "fsdp")
METHODS = ("lora", "rslora")
"""What an engine can attach per request; DoRA would have to be merged, and then no base system could share the load."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Everything that makes an adapter, besides the model and the examples."""

    name: str = "lora"
    method: str = "lora"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: tuple[str, ...] | str = "all-linear"
    learning_rate: float = 2e-3
    epochs: float = 1.0
    batch_size: int = 8
    """Packed rows per step."""
    max_tokens: int = 1024
    """Length of a packed row."""
    warm_up_share: float = 0.05
    weight_decay: float = 0.0
    seed: int = 0
    device: str = "auto"
    dtype: str = "float32"
    """Weights while training; adapters are small, so full precision is the safe default."""

    mixed_precision: bool = True
    """Matrix products in bfloat16; weights and optimiser stay in ``dtype``."""
    processes: int = 1
    """Processes of one machine that train together, each on a GPU of its own where there are any."""
    strategy: str = "none"
    """ddp: every process holds the whole model; fsdp: each a part of it (Zhao et al. 2023), for what one cannot hold.

    A step has ``batch_size`` rows however many processes share them.
    """

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UserError(f"tuning.method={self.method}: must be one of {', '.join(METHODS)}")
        for key, least in (("rank", 1), ("batch_size", 1), ("max_tokens", 16)):
            if getattr(self, key) < least:
                raise UserError(f"tuning.{key}={getattr(self, key)}: must be {least} or more")
        for key in ("epochs", "learning_rate", "alpha"):
            if not getattr(self, key) > 0:
                raise UserError(f"tuning.{key}={getattr(self, key)}: must be above 0")
        for key in ("dropout", "warm_up_share"):
            if not 0 <= getattr(self, key) < 1:
                raise UserError(f"tuning.{key}={getattr(self, key)}: must be 0 or more and below 1")
        if self.dtype not in DTYPES:
            raise UserError(f"tuning.dtype={self.dtype}: must be one of {', '.join(DTYPES)}")
        check_device(self.device, "tuning.device")
        self._check_processes()

    def _check_processes(self) -> None:
        if self.strategy not in STRATEGIES:
            raise UserError(f"tuning.strategy={self.strategy}: must be one of {', '.join(STRATEGIES)}")
        if self.processes < 1:
            raise UserError(f"tuning.processes={self.processes}: must be 1 or more")
        if (self.processes > 1) != (self.strategy != "none"):
            raise UserError(
                f"tuning.strategy={self.strategy}: with tuning.processes={self.processes} it must be "
                + ("ddp or fsdp" if self.processes > 1 else "none")
            )
        if self.batch_size % self.processes:
            raise UserError(
                f"tuning.batch_size={self.batch_size}: must be a multiple of tuning.processes={self.processes}"
            )


def silent(step: int, steps: int, loss: float | None) -> None:
    """Tells nobody."""


def train_adapter(
    model: Model,
    examples: Sequence[TokenExample],
    tuning: Tuning,
    out: Path,
    progress: Callable[[int, int, float | None], None] = silent,
    checkpoints: Path | None = None,
) -> dict[str, Any]:
    """Train an adapter on the examples and save it to ``out``; returns the record saved beside it.

    Under torchrun this process does its share, and the first one saves.
    ``progress(step, steps, loss)`` is called after every step. The record (``training.json``) holds the
    loss log, trainable share, tokens, seconds and peak memory.
    ``checkpoints``: a directory in which a killed training leaves what it goes on from; the adapter is the same.
    A process that is asked to end (SIGTERM, SIGUSR2) writes one first. With fsdp it ends at once, and begins anew.
    """
    import torch
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, TrainerCallback, set_seed
    from trl import SFTConfig, SFTTrainer

    if not examples:
        raise UserError("tuning: there are no training examples")
    set_seed(tuning.seed)
    on_gpu = tuning.device != "cpu" and torch.cuda.is_available()
    if on_gpu and tuning.mixed_precision and not torch.cuda.is_bf16_supported():
        raise UserError("tuning.mixed_precision=true: this GPU knows no bfloat16; say tuning.mixed_precision=false")
    network: Any = AutoModelForCausalLM.from_pretrained(
        model.path,
        revision=model.revision,
        dtype=tuning.dtype,
        trust_remote_code=model.trust_remote_code,
        use_safetensors=True,
    )
    lora = LoraConfig(
        r=tuning.rank,
        lora_alpha=tuning.alpha,
        lora_dropout=tuning.dropout,
        target_modules=tuning.targets if isinstance(tuning.targets, str) else list(tuning.targets),
        use_rslora=tuning.method == "rslora",
        task_type="CAUSAL_LM",
    )
    try:
        network = get_peft_model(network, lora)
    except ValueError as error:
        raise UserError(f"tuning.targets={tuning.targets}: {str(error).splitlines()[0]}") from error
    trainable, total = network.get_nb_trainable_parameters()
    data = Dataset.from_list(
        [
            {
                "input_ids": [*example.prompt, *example.completion],
                "completion_mask": [0] * len(example.prompt) + [1] * len(example.completion),
            }
            for example in examples
        ]
    )

    class Report(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            progress(state.global_step, state.max_steps, (logs or {}).get("loss"))

    keeps = checkpoints is not None and tuning.strategy != "fsdp"
    begun = latest(checkpoints) if checkpoints is not None and keeps else None
    before = seconds_of(begun)
    sharded: Any = tuning.strategy == "fsdp"  # annotated as text, which is its older form
    config = SFTConfig(
        output_dir=str(checkpoints if keeps else out / "trainer"),
        # One packed row at a time: TRL lays a batch's rows end to end, and without a kernel for that the attention
        # then costs the square of the whole batch (8 rows of 1,024: 8 times slower, measured on a CPU).
        per_device_train_batch_size=1,
        gradient_accumulation_steps=tuning.batch_size // tuning.processes,
        learning_rate=tuning.learning_rate,
        num_train_epochs=tuning.epochs,
        warmup_steps=tuning.warm_up_share,
        lr_scheduler_type="cosine",
        weight_decay=tuning.weight_decay,
        max_length=tuning.max_tokens,
        packing=True,
        completion_only_loss=True,
        use_cpu=not on_gpu,
        bf16=tuning.mixed_precision,
        gradient_checkpointing=False,
        seed=tuning.seed,
        data_seed=tuning.seed,
        logging_steps=1,
        save_strategy="no",  # not by steps: see checkpoints.py
        save_total_limit=KEPT,
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=0,
        dataset_num_proc=None,
        fsdp=sharded,
    )
    started = time.perf_counter()
    trainer: Any = SFTTrainer(
        model=network, args=config, train_dataset=data, processing_class=model.tokenizer, callbacks=[Report()]
    )
    for unwanted in ("PrinterCallback", "ProgressCallback"):
        for callback in list(trainer.callback_handler.callbacks):
            if type(callback).__name__ == unwanted:
                trainer.remove_callback(callback)
    with held_back() if keeps else nullcontext() as ending:
        if ending:
            trainer.add_callback(checkpointing(ending, before))
        trainer.train(resume_from_checkpoint=str(begun) if begun else None)
    seconds = time.perf_counter() - started + before
    # Every process takes part in gathering what is spread over them.
    weights = trainer.accelerator.get_state_dict(trainer.model) if tuning.strategy == "fsdp" else None
    first = trainer.is_world_process_zero()
    if first:
        network.save_pretrained(str(out), safe_serialization=True, state_dict=weights)
    peak = torch.cuda.max_memory_allocated() if on_gpu else _peak_memory()
    record = {
        "base": model.identity,
        "tuning": asdict(tuning),
        "examples": len(examples),
        "tokens": sum(len(e.prompt) + len(e.completion) for e in examples) * tuning.epochs,
        "completion_tokens": sum(len(e.completion) for e in examples) * tuning.epochs,
        "steps": trainer.state.global_step,
        "seconds": round(seconds, 2),
        "trainable_parameters": trainable,
        "trainable_share": trainable / total,
        "peak_memory_bytes": peak,
        "device": "cuda" if on_gpu else "cpu",
        "processes": tuning.processes,
        "log": [
            {"step": row["step"], "loss": row["loss"], "learning_rate": row["learning_rate"]}
            for row in trainer.state.log_history
            if "loss" in row
        ],
    }
    if first:
        (out / "training.json").write_text(json.dumps(record, indent=1) + "\n")
    if on_gpu:
        # The engine that comes next wants nearly all of the memory, and a trainer holds itself in cycles.
        del trainer, network
        gc.collect()
        torch.cuda.empty_cache()
    return record


def _peak_memory() -> int:
    """Bytes; Linux counts in KiB and macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
