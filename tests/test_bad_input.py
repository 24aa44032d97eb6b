"""Whatever a user gets wrong, and whatever fails around the program, is one line that says what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.begin import planned
from bench.journal import read
from bench.records import Key
from bench.workspace import Workspace
from systems.base import UserError
from systems.lease import Holder
from systems.tuning.training import Tuning
from tests.calling import FILES, Outcome, call, small, start
from tests.tiny import write_adapter, write_model

DOCUMENTS = f"corpus={FILES / 'documents'}"


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One index for all of them."""
    return tmp_path_factory.mktemp("builds")


def run(model: Path, place: Path, builds: Path, *further: str) -> Outcome:
    return call("run", *small(model, f"run_dir={place / 'run'}", f"builds_dir={builds}", *further))


def answers(place: Path) -> int:
    path = place / "run" / "predictions.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


SETTINGS = {
    "suite.cuont=3": "suite.cuont: no such key; did you mean suite.count?",
    "suite.count=many": "suite.count=many: must be a whole number",
    "suite.count=0": "task.facts.count=0: must be 1 or more",
    "suite.entities=0": "suite.entities=0: at least 6 are needed, one of each kind",
    "systems.rag.top_k=0": "systems.rag.top_k=0: must be 1 or more",
    "load.requests=0": "load.requests=0: must be 1 or more",
    "price.per_hour=-1": "price.per_hour=-1: must be a number of 0 or more",
    "retriever.candidates=2": "retriever.candidates=2: must be at least top_k=10",
    "suite.tasks.facts.metrics=[acuracy]": "metric acuracy: no such metric; there are: abstained_rate, ",
    "sampling.temperature=-1": "sampling.temperature=-1: must be 0 or more",
    "sampling.top_p=2": "sampling.top_p=2: must be above 0 and at most 1",
    "corpus=docs": "corpus=docs: is for suite=files; this suite has its own; say suite=files",
    "model.context_tokens=99999": "model.context_tokens=99999: pocket has 16384 positions at most",
    "model.path=/no/such/place": "model.path=/no/such/place: no checkpoint that transformers can read: ",
    "model.context_tokens=100": "task facts, sample ",
}


@pytest.mark.parametrize(("setting", "said"), SETTINGS.items(), ids=SETTINGS)
def test_a_wrong_setting(setting: str, said: str, tiny_model: Path, tmp_path: Path, builds: Path) -> None:
    line = run(tiny_model, tmp_path, builds, setting).last_line(2)
    assert line.startswith(f"bench run: {said}")
    assert answers(tmp_path) == 0


def test_a_prompt_that_does_not_fit_is_named_before_anything_is_generated(
    tiny_model: Path, tmp_path: Path, builds: Path
) -> None:
    line = run(tiny_model, tmp_path, builds, "model.context_tokens=100").last_line(2)
    sample = Workspace(tmp_path / "run").read_samples()[0].id
    assert line.startswith(f"bench run: task facts, sample {sample}, system prompt: prompt of ")
    assert "does not fit the 100 tokens of pocket; shorten the text or take a shorter prompt" in line
    assert answers(tmp_path) == 0


GOOD = '{"id": "a", "query": "Who?", "reference": "me"}'


@pytest.mark.parametrize(
    ("lines", "further", "said"),
    [
        (None, [], "samples: has to be given with suite=files, as samples=QUESTIONS.jsonl"),
        ([GOOD], ["samples=nowhere.jsonl"], "samples=nowhere.jsonl: no such file; give a .jsonl file"),
        ([GOOD, "{"], [], "{samples}:2: not JSON: "),
        ([GOOD, '{"id": "b", "query": "What?"}'], [], "{samples}:2: reference is missing"),
        (
            ['{"id": "b", "query": "What?", "reference": {}, "schema": {"type": "objekt"}}'],
            [],
            "{samples}:1: schema: ",
        ),
        ([GOOD], ["corpus=nowhere"], "corpus nowhere: no such file or directory"),
        ([GOOD], ["corpus={broken}"], "{broken}/page.md: front matter "),
        ([GOOD], ["corpus={empty}"], "corpus {empty}: no documents in it; it may hold .md, "),
    ],
)
def test_wrong_files(
    lines: list[str] | None, further: list[str], said: str, tiny_model: Path, tmp_path: Path, builds: Path
) -> None:
    names = {"samples": tmp_path / "q.jsonl", "broken": tmp_path / "broken", "empty": tmp_path / "empty"}
    names["broken"].mkdir()
    (names["broken"] / "page.md").write_text("---\nroles: [a\n---\ntext\n")
    names["empty"].mkdir()
    if lines is not None:
        names["samples"].write_text("\n".join(lines) + "\n")
        further = [f"samples={names['samples']}", *[item.format(**names) for item in further]]
    arguments = [a for a in small(tiny_model) if not a.startswith(("suite.", "experiment="))]
    done = call("run", *arguments, "suite=files", f"run_dir={tmp_path / 'run'}", f"builds_dir={builds}", *further)
    assert done.one_line(2).startswith("bench run: " + said.format(**names))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"device": "cdua"}, "tuning.device=cdua: must be auto, cpu or cuda"),
        ({"batch_size": 0}, "tuning.batch_size=0: must be 1 or more"),
        ({"dtype": "float31"}, "tuning.dtype=float31: must be one of float32, "),
        ({"epochs": 0}, "tuning.epochs=0: must be above 0"),
        ({"dropout": 1.0}, "tuning.dropout=1.0: must be 0 or more and below 1"),
    ],
)
def test_a_wrong_setting_of_tuning(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        Tuning(**settings)
    assert str(error.value).startswith(said)


def test_what_no_one_foresaw_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(arguments: list[str]) -> int:
        raise ZeroDivisionError("division by\nzero")

    monkeypatch.setattr("bench.detect.main", breaks)
    line = call("detect", "somewhere").one_line(1)
    assert line == "bench detect: ZeroDivisionError: division by zero; this was not foreseen: --traceback shows where"
    with pytest.raises(ZeroDivisionError):
        call("detect", "somewhere", "--traceback")


def test_a_server_that_is_not_there(tiny_model: Path, tmp_path: Path, builds: Path) -> None:
    arguments = [a for a in small(tiny_model) if a != "engine=stub"]
    server = ("engine=openai", "engine.base_url=http://127.0.0.1:9/v1")
    done = call("run", *arguments, *server, f"run_dir={tmp_path / 'run'}", f"builds_dir={builds}")
    assert done.last_line(1).startswith("bench run: engine.base_url=http://127.0.0.1:9/v1: no server answers there")
    assert answers(tmp_path) == 0


def test_an_index_server_that_is_not_there(tiny_model: Path, tmp_path: Path, builds: Path) -> None:
    server = ("index=server", "index.url=http://127.0.0.1:9", "index.timeout=2", "index.prefer_grpc=false")
    line = run(tiny_model, tmp_path, builds, *server).last_line(1)
    assert line.startswith("bench run: index http://127.0.0.1:9, collection knowhow-")
    assert answers(tmp_path) == 0


def test_an_adapter_of_another_base_model(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    adapter = write_adapter(tmp_path / "adapter", r=4)
    adapter.check(model)
    (tmp_path / "adapter" / "training.json").write_text(json.dumps({"base": model.identity}))
    adapter.check(model)
    (tmp_path / "adapter" / "training.json").write_text(json.dumps({"base": "0123456789abcdef"}))
    with pytest.raises(UserError, match=r"was trained on base model 0123456789abcdef, not on tiny \("):
        adapter.check(model)


def test_a_device_that_is_not_there(tiny_model: Path, tmp_path: Path, builds: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    line = run(tiny_model, tmp_path, builds, "engine=transformers", "engine.device=cuda").last_line(2)
    assert line == "bench run: engine.device=cuda: no CUDA device here; use engine.device=cpu or auto"
    line = run(tiny_model, tmp_path / "other", builds, "retriever=dense", "embedder.device=cuda").last_line(2)
    assert line == "bench run: embedder.device=cuda: no CUDA device here; use embedder.device=cpu or auto"
    assert answers(tmp_path) == 0


def test_a_run_directory_that_is_a_file(tiny_model: Path, tmp_path: Path, builds: Path) -> None:
    (tmp_path / "run").write_text("mine")
    line = run(tiny_model, tmp_path, builds).last_line(1)
    assert line.startswith(f"bench run: {tmp_path / 'run'}: cannot be written: ")
    assert (tmp_path / "run").read_text() == "mine"


def test_a_run_that_another_process_writes(tiny_model: Path, tmp_path: Path, builds: Path) -> None:
    with Workspace(tmp_path / "run").alone():
        line = run(tiny_model, tmp_path, builds).last_line(1)
    assert line.endswith(f"run: {Holder.here()} is writing this run; wait for it or stop it")


def test_a_damaged_journal(tiny_model: Path, tmp_path: Path, builds: Path) -> None:
    assert run(tiny_model, tmp_path, builds).code == 0
    path = tmp_path / "run" / "predictions.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[6] = lines[6].replace(b"know", b"knew")
    path.write_bytes(b"\n".join(lines))
    Workspace(tmp_path / "run").complete.unlink()
    said = f"{path}:7: damaged line in the journal; move the file away to start over"
    assert run(tiny_model, tmp_path, builds).last_line(2) == f"bench run: {said}"
    for stage in ("detect", "score", "report"):
        assert call(stage, str(tmp_path / "run")).one_line(2) == f"bench {stage}: {said}"


@pytest.mark.parametrize("stage", ["detect", "score", "report"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give one run directory, as results/runs/NAME"),
        (["a", "b"], "give one run directory, as results/runs/NAME"),
        (["nowhere"], "nowhere: is no run directory (manifest.json is missing)"),
        (["nowhere", "--fresh"], "--fresh: no such flag here; there is --traceback"),
    ],
)
def test_a_directory_that_is_no_run(stage: str, arguments: list[str], said: str) -> None:
    assert call(stage, *arguments).one_line(2) == f"bench {stage}: {said}"


def test_an_override_of_an_old_run_that_is_mistyped(tiny_model: Path, tmp_path: Path, builds: Path) -> None:
    assert run(tiny_model, tmp_path, builds, "load=none").code == 2  # load.requests is no key of load=none
    arguments = [a for a in small(tiny_model, "load=none") if not a.startswith("load.")]
    assert call("run", *arguments, f"run_dir={tmp_path / 'run'}", f"builds_dir={builds}").code == 0
    line = call("report", str(tmp_path / "run"), "price=h10").one_line(2)
    assert line.startswith("bench report: price=h10: no such option; did you mean h100?")
    line = call("report", str(tmp_path / "run"), "price.per_huor=1").one_line(2)
    assert line == "bench report: price.per_huor: no such key; did you mean price.per_hour?"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, leave: int) -> Path:
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(b"\0" * (free.f_bavail * free.f_frsize - leave))
    return ballast


@pytest.mark.parametrize("leave", [0, 40_000, 200_000, 320_000])
def test_a_full_disk_and_then_the_same_command(
    leave: int, disk: Path, tiny_model: Path, tmp_path: Path, builds: Path
) -> None:
    ballast = fill(disk, leave)
    line = run(tiny_model, disk, builds).last_line(1)
    assert line.startswith(f"bench run: {disk / 'run'}")
    assert line.endswith(
        "cannot be written: No space left on device; free some space and run again; what is finished stays"
    )
    ballast.unlink()
    done = run(tiny_model, disk, builds)
    assert done.code == 0, done.err
    workspace = Workspace(disk / "run")
    found = Counter(Key(r["system"], r["task"], r["sample"], r["repeat"]) for r in read(workspace.predictions))
    assert found == Counter(planned(["prompt", "rag"], workspace.read_samples(), 1))


def test_a_full_disk_under_the_builds(disk: Path, tiny_model: Path, tmp_path: Path) -> None:
    """In a process of its own: the index is memory-mapped, and a full disk would end the process."""
    done = start("run", *small(tiny_model, f"run_dir={tmp_path / 'run'}", f"builds_dir={disk / 'builds'}"))
    line = done.last_line(1)
    assert line.startswith(
        f"bench run: {disk / 'builds' / 'index'}: 2 MiB free, but building the index may take 257 MiB; "
    )
    assert not list((disk / "builds").glob("index/*/artifact.json"))
