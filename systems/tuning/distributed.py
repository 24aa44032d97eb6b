"""Training by several processes of one machine: started by torchrun, joined by accelerate (DDP or FSDP)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from systems.base import Failure, UserError
from systems.child import environment
from systems.ending import held_back, kept_out, let_in
from systems.model import Model
from systems.tuning.examples import TokenExample
from systems.tuning.training import Tuning, silent, train_adapter

WORKER = "systems.tuning.distributed"
"""The module that torchrun starts in every process."""
STEP = "step "
"""Begins a line of the first process that tells of progress."""


def train(
    model: Model,
    examples: Sequence[TokenExample],
    tuning: Tuning,
    out: Path,
    progress: Callable[[int, int, float | None], None] = silent,
    checkpoints: Path | None = None,
) -> dict[str, Any]:
    """``train_adapter`` by ``tuning.processes`` processes: here if it is one, else under torchrun.

    Each does its share of every step, and the first one saves: the adapter is that of one process but for rounding
    (and, where the packed rows are no multiple of the processes, for a few rows that an epoch has twice). A process
    that dies ends the others, and the training, with a ``Failure``.
    """
    if tuning.processes == 1:
        return train_adapter(model, examples, tuning, out, progress, checkpoints)
    check_devices(tuning)
    with tempfile.TemporaryDirectory(prefix=".launch-", dir=out) as folder:
        job = Path(folder) / "job.json"
        tokens = [[one.prompt, one.completion] for one in examples]
        work = {
            "model": asdict(model),
            "tuning": asdict(tuning),
            "out": str(out.resolve()),
            "examples": tokens,
            "checkpoints": str(checkpoints.resolve()) if checkpoints else None,
        }
        job.write_text(json.dumps(work))
        _launch(job, tuning.processes, progress)
    record: dict[str, Any] = json.loads((out / "training.json").read_text())
    return record


def check_devices(tuning: Tuning) -> None:
    """Refuse what this machine's devices cannot do, before anything is started."""
    import torch

    devices = torch.cuda.device_count() if tuning.device != "cpu" else 0
    if devices and tuning.processes > devices:
        raise UserError(f"tuning.processes={tuning.processes}: there are {devices} GPUs here, one for each process")
    if tuning.strategy == "fsdp" and not devices:
        # accelerate 1.15 would say nothing, and do DDP.
        raise UserError("tuning.strategy=fsdp: accelerate shards over GPUs alone, and there are none; take ddp")


def _launch(job: Path, processes: int, progress: Callable[[int, int, float | None], None]) -> None:
    """Run this module under torchrun in as many processes, and tell of what the first one does."""
    told, said = job.with_name("error.json"), job.with_name("stderr.txt")
    command = ["torch.distributed.run", "--standalone", "--nnodes=1", f"--nproc-per-node={processes}"]
    with said.open("wb") as errors:
        with kept_out():  # torchrun would kill its processes: at once at SIGUSR2, after 30 s at SIGTERM
            launcher = subprocess.Popen(
                [sys.executable, "-m", *command, "-m", WORKER, str(job)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(TORCHELASTIC_ERROR_FILE=str(told)),
            )
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        # Left early, by whatever, this closes the pipe that the processes listen to, and they end.
        with launcher, held_back(partial(_ask, launcher.stdin.fileno())):
            for line in launcher.stdout:
                if line.startswith(STEP):
                    progress(*json.loads(line.removeprefix(STEP)))
            code = launcher.wait()
    if code:
        raise _failure(told, said.read_text(errors="replace"))


def _failure(told: Path, said: str) -> Exception:
    """What the first process that failed died of."""
    if told.exists():
        words = str(json.loads(told.read_text())["message"]["message"])
        kind, _, text = words.partition(": ")
        return UserError(text) if kind == UserError.__name__ else Failure(f"tuning: a process failed: {words}"[:400])
    killed = re.search(r"rank\s*: (\d+)[^\n]*\n\s*exitcode\s*: (-?\d+)", said.partition("Root Cause")[2])
    if killed:
        return Failure(
            f"tuning: process {killed[1]} died with exit code {killed[2]} (-9: killed, as for want of memory)"
        )
    lines = [line for line in said.splitlines() if line.strip()] or ["torchrun said nothing"]
    return Failure(f"tuning: torchrun failed: {lines[-1].strip()}"[:400])


def _ask(pipe: int) -> None:
    """Ask the processes to end: one of them hears it, and they agree after each step."""
    with suppress(BrokenPipeError):  # they have ended
        os.write(pipe, b".")


def _listen() -> None:
    """Hear what the process that started the training asks; leave at once when it is gone."""
    while os.read(0, 1):
        os.kill(os.getpid(), signal.SIGTERM)
    os._exit(1)


def main() -> None:
    """One of the processes: does its share of the job in the file that is named."""
    from accelerate import PartialState
    from torch.distributed.elastic.multiprocessing.errors import record

    first = os.environ["RANK"] == "0"

    def tell(step: int, steps: int, loss: float | None) -> None:
        if first:
            print(f"{STEP}{json.dumps([step, steps, loss])}", flush=True)

    @record
    def work(file: str) -> None:
        job = json.loads(Path(file).read_text())
        examples = [TokenExample(tuple(prompt), tuple(completion)) for prompt, completion in job["examples"]]
        kept = Path(job["checkpoints"]) if job["checkpoints"] else None
        train_adapter(Model(**job["model"]), examples, Tuning(**job["tuning"]), Path(job["out"]), tell, kept)
        # One that left while another still talked to it would take that one down.
        PartialState().wait_for_everyone()
        PartialState().destroy_process_group()

    let_in()
    threading.Thread(target=_listen, daemon=True).start()
    work(sys.argv[1])


if __name__ == "__main__":
    main()
