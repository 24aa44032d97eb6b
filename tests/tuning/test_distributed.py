"""Training by two processes over gloo: the adapter of one process, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from systems.artifacts import Store
from systems.base import Failure, UserError
from systems.model import Model
from systems.tuning import distributed
from systems.tuning.checkpoints import latest
from systems.tuning.distributed import train
from systems.tuning.examples import TokenExample
from systems.tuning.training import Tuning


def examples() -> list[TokenExample]:
    """16 rows of 64 tokens and more."""
    rng = random.Random(1)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(5, 300) for _ in range(count))

    return [TokenExample(tokens(20), tokens(10)) for _ in range(32)]


def tuning(**settings: Any) -> Tuning:
    usual = {"rank": 4, "batch_size": 4, "max_tokens": 64, "device": "cpu", "mixed_precision": False}
    return Tuning(**{**usual, **settings})


def weights(adapter: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(adapter / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return Model(name="tiny", path=str(tiny_model))


@pytest.fixture(scope="module")
def alone(model: Model, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What one process makes."""
    out = tmp_path_factory.mktemp("alone")
    return train(model, examples(), tuning(), out), out


def test_two_processes_make_the_adapter_of_one(
    model: Model, alone: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    expected, there = alone
    steps: list[int] = []

    def tell(step: int, of: int, loss: float | None) -> None:
        if loss is not None:
            steps.append(step)

    found = train(model, examples(), tuning(processes=2, strategy="ddp"), tmp_path, tell)
    assert steps == [1, 2, 3, 4]
    assert_same(found, tmp_path, expected, there)
    assert found["tuning"]["processes"] == 2


def test_sharded_processes_make_the_adapter_of_one(
    model: Model, alone: tuple[dict[str, Any], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "WORKER", "tests.tuning.sharding")
    monkeypatch.setattr(distributed, "check_devices", lambda tuning: None)
    found = train(model, examples(), tuning(processes=2, strategy="fsdp"), tmp_path)
    assert_same(found, tmp_path, *alone)


def files(adapter: Path) -> set[str]:
    return {path.relative_to(adapter).as_posix() for path in adapter.rglob("*") if path.is_file()}


def assert_same(found: dict[str, Any], here: Path, expected: dict[str, Any], there: Path) -> None:
    """Records and weights are equal but for rounding, and nothing else is left."""
    assert files(here) == files(there)
    for key in ("base", "examples", "tokens", "steps", "trainable_parameters", "trainable_share"):
        assert found[key] == expected[key]
    for one, other in zip(found["log"], expected["log"], strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    mine, its = weights(here), weights(there)
    assert mine.keys() == its.keys()
    assert max(float(its[name].abs().max()) for name in its) > 0.01
    assert all(float((mine[name] - its[name]).abs().max()) < 1e-5 for name in its)


def family() -> dict[psutil.Process, list[str]]:
    """This process's torchrun and the training processes under it, with their command lines."""
    found = {}
    for process in psutil.Process().children(recursive=True):  # other tests' engines are among them
        with contextlib.suppress(psutil.Error):  # one that is just ending
            words = process.cmdline()
            if distributed.WORKER in words:
                found[process] = words
    return found


def workers() -> list[psutil.Process]:
    """The training processes of this one's torchrun."""
    return [process for process, words in family().items() if "torch.distributed.run" not in words]


def test_a_process_that_dies_fails_the_build_and_leaves_nothing(model: Model, tmp_path: Path) -> None:
    def kill_one(step: int, steps: int, loss: float | None) -> None:
        for worker in workers():
            if worker.environ()["RANK"] == "1":
                worker.kill()

    def make(directory: Path) -> None:
        train(model, examples(), tuning(processes=2, strategy="ddp", epochs=50), directory, kill_one)

    store = Store(tmp_path)
    with pytest.raises(Failure) as caught:
        store.build("adapter", "key", make, {})
    assert str(caught.value) == "tuning: process 1 died with exit code -9 (-9: killed, as for want of memory)"
    assert [path for path in (tmp_path / "adapter").iterdir() if ".lease" not in path.name] == []
    assert workers() == []


@pytest.mark.parametrize(
    ("number", "everyone"),
    [
        (signal.SIGTERM, False),  # as by who watches over the run
        (signal.SIGTERM, True),  # as by Slurm, which signals every process of a job
        (signal.SIGUSR2, True),
    ],
)
def test_asked_to_end_the_processes_write_a_checkpoint_and_go_on_from_it(
    number: signal.Signals, everyone: bool, model: Model, tmp_path: Path
) -> None:
    two, kept, out = tuning(processes=2, strategy="ddp", epochs=20), tmp_path / "kept", tmp_path / "out"
    steps: list[int] = []

    def listen(step: int, of: int, loss: float | None) -> None:
        if loss is not None:
            steps.append(step)
            if step == 1:
                for process in family() if everyone else ():
                    process.send_signal(number)
                os.kill(os.getpid(), number)

    out.mkdir()
    with pytest.raises(SystemExit) as ended:
        train(model, examples(), two, out, listen, kept)
    assert ended.value.code == 128 + number
    assert workers() == []
    begun = latest(kept)
    assert begun is not None
    assert list(out.iterdir()) == []
    steps.clear()
    train(model, examples(), two, out, listen, kept)
    assert steps == list(range(int(begun.name.removeprefix("checkpoint-")) + 1, 81))


def test_asked_to_end_before_the_first_step_they_end(model: Model, tmp_path: Path) -> None:
    two, kept = tuning(processes=2, strategy="ddp", epochs=20), tmp_path / "kept"
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGUSR2)).start()  # torchrun is still being loaded
    with pytest.raises(SystemExit) as ended:
        train(model, examples(), two, tmp_path, checkpoints=kept)
    assert ended.value.code == 128 + signal.SIGUSR2
    assert workers() == []
    assert latest(kept) is None


def test_what_a_process_refuses_is_the_users_line(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "WORKER", "tests.tuning.refusing")
    wrong = tuning(processes=2, strategy="ddp", targets="nosuch")
    with pytest.raises(UserError, match=r'^tuning\.targets="nosuch": there are none of that name$'):
        train(model, examples(), wrong, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"processes": 0}, "tuning.processes=0: must be 1 or more"),
        ({"processes": 2}, "tuning.strategy=none: with tuning.processes=2 it must be ddp or fsdp"),
        ({"strategy": "ddp"}, "tuning.strategy=ddp: with tuning.processes=1 it must be none"),
        ({"strategy": "dpp"}, "tuning.strategy=dpp: must be one of none, ddp, fsdp"),
        (
            {"processes": 3, "strategy": "ddp"},
            "tuning.batch_size=4: must be a multiple of tuning.processes=3",
        ),
    ],
)
def test_a_wrong_setting(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        tuning(**settings)
    assert str(error.value) == said


def test_sharding_without_gpus_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tuning\.strategy=fsdp: accelerate shards over GPUs alone"):
        train(model, examples(), tuning(processes=2, strategy="fsdp"), tmp_path)
