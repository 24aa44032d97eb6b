"""A training that is killed, or asked to end, goes on where it was and makes the same adapter."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from systems.artifacts import file_hash
from systems.ending import held_back
from systems.model import Model
from systems.tuning import checkpoints
from systems.tuning.checkpoints import MARK, latest
from systems.tuning.training import train_adapter
from tests.tuning.test_distributed import examples, tuning


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it on the way out."""


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return Model(name="tiny", path=str(tiny_model))


@pytest.fixture(scope="module")
def whole(model: Model, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What a training that nobody disturbs leaves: its record, and its weights by hash."""
    out = tmp_path_factory.mktemp("whole")
    record = train_adapter(model, examples(), tuning(epochs=2.0, dropout=0.1), out)
    return record, file_hash(out / "adapter_model.safetensors")


def at(step: int, act: Any) -> Any:
    """A listener that acts after that step."""

    def progress(now: int, of: int, loss: float | None) -> None:
        if now == step and loss is not None:
            act()

    return progress


def check_same(record: dict[str, Any], out: Path, whole: tuple[dict[str, Any], str]) -> None:
    expected, weights = whole
    assert file_hash(out / "adapter_model.safetensors") == weights
    assert [row["loss"] for row in record["log"]] == [row["loss"] for row in expected["log"]]
    assert record["steps"] == expected["steps"] == 8


def test_killed_over_and_over_it_makes_the_same_adapter(
    model: Model, whole: tuple[dict[str, Any], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    kept = tmp_path / "kept"
    settings = tuning(epochs=2.0, dropout=0.1)

    def die() -> None:
        raise Killed

    for step in (1, 3, 6):  # the step's own checkpoint is not yet written when it is told of
        with pytest.raises(Killed):
            train_adapter(model, examples(), settings, tmp_path / "lost", at(step, die), kept)
        found = latest(kept)
        assert (int(found.name.removeprefix("checkpoint-")) if found else 0) == step - 1
    # A checkpoint that was being written when the process died does not count.
    half = kept / "checkpoint-7"
    half.mkdir()
    (half / "adapter_model.safetensors").write_text("half")
    steps: list[int] = []
    out = tmp_path / "out"
    record = train_adapter(
        model, examples(), settings, out, lambda step, of, loss: steps.append(step) if loss is not None else None, kept
    )
    assert steps == [6, 7, 8]
    check_same(record, out, whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2])
def test_asked_to_end_it_writes_a_checkpoint_first(
    model: Model, whole: tuple[dict[str, Any], str], tmp_path: Path, number: signal.Signals
) -> None:
    kept = tmp_path / "kept"
    settings = tuning(epochs=2.0, dropout=0.1)
    with pytest.raises(SystemExit) as ended:
        train_adapter(model, examples(), settings, tmp_path / "lost", at(3, lambda: os.kill(os.getpid(), number)), kept)
    assert ended.value.code == 128 + number
    found = latest(kept)
    assert found is not None
    step = int(found.name.removeprefix("checkpoint-"))
    assert step in (3, 4), "within a step"
    before = json.loads((found / MARK).read_text())["seconds"]
    steps: list[int] = []
    out = tmp_path / "out"
    record = train_adapter(
        model, examples(), settings, out, lambda step, of, loss: steps.append(step) if loss is not None else None, kept
    )
    assert steps[0] == step + 1
    assert record["seconds"] > before, "the time of all attempts"
    check_same(record, out, whole)


def test_signals_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with held_back() as ending:
        assert not ending.asked
    assert signal.getsignal(signal.SIGTERM) == before
