"""The main job on real parts, small: vLLM, PEFT, Qdrant, W&B offline; killed in training and in generation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from systems.engines.in_process import MULTIPROCESSING

pytestmark = pytest.mark.engine
SMALL = [
    "experiment=pocket",
    "engine=vllm",
    "engine.enforce_eager=true",
    "tuning.rank=8",
    "suite.count=8",
    "suite.entities=12",
    "suite.repeats=2",
    "load.requests=30",
    "load.warm_up=2",
    "tracker.mode=offline",
]
SYSTEMS = {"prompt", "rag", "finetuned", "hybrid"}


def command(place: Path) -> list[str]:
    return [sys.executable, "-m", "bench", "run", *SMALL, f"run_dir={place / 'run'}", f"builds_dir={place / 'builds'}"]


def killed_when(place: Path, moment: Callable[[], bool]) -> int:
    """Start the run and kill -9 its process at the moment, and nothing else: the engine has to go with it.

    Returns how many processes the engine had.
    """
    process = subprocess.Popen(
        command(place),
        start_new_session=True,
        stderr=(place / "log").open("ab"),
        env={**os.environ, MULTIPROCESSING: "1"},  # an engine with processes of its own, however few the cores
    )
    deadline = time.monotonic() + 600
    while not moment():
        assert process.poll() is None, (place / "log").read_text()[-2000:]
        assert time.monotonic() < deadline, "the moment to kill never came"
        time.sleep(0.05)
    engines = [one for one in psutil.Process(process.pid).children() if "EngineCore" in " ".join(one.cmdline())]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, left = psutil.wait_procs(engines, timeout=20)
    assert not left, "the engine outlived the run: it would hold its memory, and the same command could not start"
    return len(engines)


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.exists() else []


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed while it trained, killed again while it generated, and then left to finish."""
    place = tmp_path_factory.mktemp("demo")
    killed_when(place, lambda: (place / "log").exists() and b"training the adapter" in (place / "log").read_bytes())
    finished = [path for path in (place / "builds" / "adapter").glob("*/artifact.json") if path.parent.name[0] != "."]
    assert not finished, "a killed training left something that looks finished"
    predictions = place / "run" / "predictions.jsonl"
    assert killed_when(place, lambda: len(lines(predictions)) >= 50)
    (place / "before").write_bytes(b"".join(line for line in lines(predictions) if line.endswith(b"\n")))
    done = subprocess.run(command(place), capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr[-2000:]
    (place / "stdout").write_text(done.stdout)
    return place


def test_exactly_the_planned_answers(place: Path) -> None:
    rows = [json.loads(line) for line in lines(place / "run" / "predictions.jsonl")]
    counts = Counter((row["system"], row["task"], row["sample"], row["repeat"]) for row in rows)
    summary = json.loads((place / "run" / "summary.json").read_text())
    assert set(counts.values()) == {1}
    assert len(counts) == summary["planned"] == summary["completed"] == 4 * 5 * 8
    assert {row["system"] for row in rows} == SYSTEMS


def test_answers_before_the_kill_are_kept_as_they_were(place: Path) -> None:
    before = (place / "before").read_bytes()
    assert before.count(b"\n") >= 50
    assert (place / "run" / "predictions.jsonl").read_bytes().startswith(before)


def test_adapter_is_proven_to_be_on(place: Path) -> None:
    run = json.loads((place / "run" / "summary.json").read_text())["run"]
    # Half a minute of training moves the forms that are written (20 of the probes) before it moves the facts.
    assert run["adapter_proof"]["different"] >= 10
    manifest = json.loads((place / "run" / "manifest.json").read_text())
    weights = {record["weights"] for record in manifest["build"]["adapters"].values()}
    assert len(weights) == 1, "one adapter serves both tuned systems"
    assert manifest["engine"] == {**manifest["engine"], "engine": "vllm", "loads": 1}


def test_measures_are_there_with_intervals(place: Path) -> None:
    systems = json.loads((place / "run" / "summary.json").read_text())["systems"]
    assert set(systems) == SYSTEMS
    wanted = ("accuracy", "format_adherence", "hallucination_rate", "latency_e2e_p50", "cost_per_call", "tokens_in")
    for system, entry in systems.items():
        for name in wanted:
            estimate = entry["measures"][name]
            estimate = estimate[0] if isinstance(estimate, list) else estimate
            if estimate["estimate"] is None:  # requests that met one queue tell little: that is said, not guessed
                assert name.startswith("latency"), (system, name)
                assert "too few for an interval" in estimate["reason"]
                continue
            assert estimate["low"] <= estimate["estimate"] <= estimate["high"], (system, name)
        assert entry["measures"]["latency_e2e_p99"][0]["estimate"] is None
    assert systems["rag"]["measures"]["stage_search_p50"][0]["estimate"] > 0


def test_wandb_has_a_run_per_system(place: Path) -> None:
    found = sorted((place / "run" / "wandb").glob("offline-run-*"))
    assert len(found) == len(SYSTEMS) + 1  # and one of the build that they share


def test_last_line_names_the_directory(place: Path) -> None:
    assert (place / "stdout").read_text().rstrip().splitlines()[-1] == str(place / "run")
    assert (place / "run" / "report.html").stat().st_size > 20_000


def test_finished_run_is_shown_again_without_an_engine(place: Path) -> None:
    started = time.monotonic()
    done = subprocess.run(command(place), capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == (place / "stdout").read_text()
    assert "loading" not in done.stderr
    assert time.monotonic() - started < 60  # without an engine start; how fast exactly is a benchmark
