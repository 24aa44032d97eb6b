"""Checkpoints of a training: what it goes on from after a kill. Each counts once it is whole.

The trainer writes them (weights, optimiser, schedule, random states, losses) and reads them again; a mark that is
written last tells a whole one from one that was being written.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from systems.ending import Ending

MARK = "whole.json"
SECONDS = 300.0
"""Between two checkpoints: what a kill without warning costs at most."""
KEPT = 2
"""The last whole one stays while the next is written."""


def latest(folder: Path) -> Path | None:
    """The newest whole checkpoint."""
    found = [mark.parent for mark in folder.glob(f"checkpoint-*/{MARK}")]
    return max(found, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)


def seconds_of(checkpoint: Path | None) -> float:
    """Seconds of training that a checkpoint holds, over all its attempts."""
    return float(json.loads((checkpoint / MARK).read_text())["seconds"]) if checkpoint else 0.0


def checkpointing(ending: Ending, before: float, every: float | None = None) -> Any:
    """A trainer's callback that saves now and then, and once more when the process was asked to end.

    ``before``: seconds of training in earlier attempts; ``every``: seconds between two (``None``: ``SECONDS``).
    """
    import torch
    from transformers import TrainerCallback

    class Checkpoints(TrainerCallback):
        def __init__(self) -> None:
            self.begun = self.saved = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            due = time.monotonic() - self.saved >= (SECONDS if every is None else every)
            save, stop = _agreed(due or ending.asked, ending.asked)
            control.should_save = save and state.global_step < state.max_steps
            if stop:
                ending.ask()  # what one process was asked, all were
                control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if _together():
                torch.distributed.barrier()
            self.saved = time.monotonic()
            if state.is_world_process_zero:
                mark = Path(args.output_dir) / f"checkpoint-{state.global_step}" / MARK
                mark.write_text(json.dumps({"seconds": before + self.saved - self.begun}))

    return Checkpoints()


def _together() -> bool:
    import torch

    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _agreed(*wishes: bool) -> list[bool]:
    """What any of the processes that train together wishes: all of them have to save, or none."""
    if not _together():
        return list(wishes)
    import torch

    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    counted = torch.tensor([int(wish) for wish in wishes], device=device)
    torch.distributed.all_reduce(counted)
    return [bool(count) for count in counted.tolist()]
