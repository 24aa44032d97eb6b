"""The batch scripts, submitted: runs, servers and their addresses; those that need GPUs as far as Slurm's own check."""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request
from pathlib import Path

import pytest

from systems.engines.vllm import installed
from tests.calling import ROOT, small
from tests.slurm.cluster import Cluster, wait_until

pytestmark = pytest.mark.slurm


def submit(cluster: Cluster, site: Path, script: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """Number of the job; its log is ``site/log``."""
    command = ["sbatch", "--parsable", f"--output={site / 'log'}", *options, f"slurm/{script}.sbatch", *arguments]
    return cluster.call(*command)


def told(site: Path) -> str:
    log = site / "log"
    return log.read_text(errors="replace")[-3000:] if log.exists() else "no log"


def address(cluster: Cluster, site: Path, name: str, job: str, seconds: float) -> str:
    """Of a server's job, once it is published."""
    file = site / "shared" / f"{name}.url"

    def published() -> bool:
        assert cluster.queue().get(job) in ("PENDING", "CONFIGURING", "RUNNING"), told(site)
        return file.exists()

    wait_until(published, seconds, f"the address of {name}", lambda: told(site))
    return file.read_text().strip()


def run_settings(model: Path, site: Path, *further: str) -> list[str]:
    return [*small(model), f"run_dir={site / 'run'}", f"builds_dir={site / 'builds'}", *further]


def test_a_run_on_one_node(cluster: Cluster, site: Path, tiny_model: Path) -> None:
    submit(cluster, site, "run", *run_settings(tiny_model, site), options=("--wait",))
    summary = json.loads((site / "run" / "summary.json").read_text())
    assert summary["completed"] == summary["planned"] > 0, told(site)


def test_a_signalled_run_goes_back_into_the_queue_and_goes_on(cluster: Cluster, site: Path, tiny_model: Path) -> None:
    slow = ["engine.delay_seconds=0.5", "engine.max_num_seqs=2"]
    job = submit(cluster, site, "run", *run_settings(tiny_model, site, *slow))
    journal = site / "run" / "predictions.jsonl"
    wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 4, 120, "answers", lambda: told(site))
    cluster.call("scancel", "--batch", "--signal=USR2", job)
    wait_until(lambda: "back into the queue" in told(site), 60, "the signal", lambda: told(site))
    before = journal.read_bytes().count(b"\n")
    cluster.wait(job, "PENDING")
    cluster.wait(job, "COMPLETED", seconds=180)
    assert (site / "run" / "summary.json").exists(), told(site)
    summary = json.loads((site / "run" / "summary.json").read_text())
    assert summary["completed"] == summary["planned"] > before, told(site)


@pytest.mark.parametrize(
    ("script", "options"),
    [("gpus", ("--gpus-per-node=2",)), ("nodes", ("--nodes=1", "--gpus-per-node=2"))],
)
def test_what_needs_gpus_is_accepted(script: str, options: tuple[str, ...], cluster: Cluster, site: Path) -> None:
    submit(cluster, site, script, options=("--test-only", *options))


def post(url: str, text: str, key: str) -> None:
    request = urllib.request.Request(url, text.encode(), {"api-key": key}, method="POST")
    urllib.request.urlopen(request, timeout=10).close()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def test_what_a_qdrant_server_holds_outlives_its_jobs(
    cluster: Cluster, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("QDRANT", f"{sys.executable} -m tests.slurm.qdrant")
    monkeypatch.setenv("QDRANT_PORT", str(port))
    monkeypatch.setenv("QDRANT_API_KEY", "a-key-of-the-test")
    monkeypatch.setenv("QDRANT_STORAGE", str(site / "local"))
    job = submit(cluster, site, "qdrant")
    assert address(cluster, site, "qdrant", job, 60) == f"http://{socket.gethostname()}:{port}"
    here = f"http://127.0.0.1:{port}"
    post(f"{here}/points", "[1, 2]", "a-key-of-the-test")
    # Its time is up: saved, back into the queue, and there again with what it held.
    cluster.call("scancel", "--batch", "--signal=USR2", job)
    cluster.wait(job, "PENDING")
    assert (site / "shared" / "qdrant.snapshot").read_text() == "[1, 2]"
    assert not (site / "local").exists()
    assert not (site / "shared" / "qdrant.url").exists()
    address(cluster, site, "qdrant", job, 60)
    assert get(f"{here}/points") == "[1, 2]"
    post(f"{here}/points", "[3]", "a-key-of-the-test")
    # Told to end: saved again.
    cluster.call("scancel", "--batch", "--signal=USR1", job)
    cluster.wait(job, "COMPLETED")
    assert (site / "shared" / "qdrant.snapshot").read_text() == "[3]", told(site)
    assert sorted(path.name for path in (site / "shared").iterdir()) == ["qdrant.snapshot"]
    # Cancelled, the server too has its signal, and may be gone before it is asked: then its storage stays.
    job = submit(cluster, site, "qdrant")
    address(cluster, site, "qdrant", job, 60)
    post(f"{here}/points", "[4]", "a-key-of-the-test")
    cluster.call("scancel", job)
    cluster.wait(job, "CANCELLED", "COMPLETED")
    if "is left on" in told(site):
        assert (site / "local" / "storage" / "points.json").read_text() == "[4]"
        assert (site / "shared" / "qdrant.snapshot").read_text() == "[3]"
    else:
        assert (site / "shared" / "qdrant.snapshot").read_text() == "[4]"
    assert not (site / "shared" / "qdrant.url").exists()
    assert "a-key-of-the-test" not in told(site)


def test_a_server_that_does_not_start_ends_its_job(
    cluster: Cluster, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QDRANT", "false")
    monkeypatch.setenv("QDRANT_STORAGE", str(site / "local"))
    job = submit(cluster, site, "qdrant")
    cluster.wait(job, "FAILED")
    assert "the server ended before it answered" in told(site)
    assert list((site / "shared").iterdir()) == []


@pytest.mark.skipif(not installed(), reason="vLLM is not installed")
def test_a_vllm_server_answers_another_jobs_questions(
    cluster: Cluster, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vllm

    # The CPU build's distribution has another name than the one that `vllm serve` looks itself up by.
    version = vllm.__version__ if "cpu" in vllm.__version__ else f"{vllm.__version__}+cpu"
    info = site / "site" / f"vllm-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site / "site"), str(ROOT)]))
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    monkeypatch.delenv("OMP_NUM_THREADS")
    weights = ROOT / "bench" / "pocket" / "weights"
    settings = ["--served-model-name", "pocket", "--max-model-len", "1536", "--block-size", "32", "--enforce-eager"]
    job = submit(cluster, site, "vllm_server", str(weights), *settings)
    url = address(cluster, site, "vllm", job, 240)
    settings = [item for item in small(weights) if not item.startswith(("engine", "model.", "load."))]
    further = ["engine=openai", f"engine.base_url={url}", "load=none"]
    places = [f"run_dir={site / 'run'}", f"builds_dir={site / 'builds'}"]
    cluster.wait(submit(cluster, site, "run", *settings, *further, *places), "COMPLETED", "FAILED", seconds=180)
    assert (site / "run" / "summary.json").exists(), told(site)
    summary = json.loads((site / "run" / "summary.json").read_text())
    assert summary["completed"] == summary["planned"] > 0, told(site)
    predictions = (site / "run" / "predictions.jsonl").read_text()
    assert '"error":null' in predictions.replace(" ", "")
    cluster.call("scancel", job)
    cluster.wait(job, "CANCELLED", "COMPLETED", "FAILED")
    assert not (site / "shared" / "vllm.url").exists()
