"""The batch scripts: sound shell, and what they say is so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bench.config import compose
from tests.calling import ROOT

SCRIPTS = sorted((ROOT / "slurm").glob("*.sbatch"))
PARTS = sorted((ROOT / "slurm").glob("*.sh"))


def test_there_is_a_script_for_each_need() -> None:
    assert {script.stem for script in SCRIPTS} == {"run", "gpus", "nodes", "qdrant", "vllm_server"}
    assert {part.stem for part in PARTS} == {"site", "job"}


@pytest.mark.parametrize("script", [*SCRIPTS, *PARTS], ids=lambda path: path.name)
def test_bash_reads_it(script: Path) -> None:
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_shellcheck_has_nothing_to_say() -> None:
    if shutil.which("shellcheck") is None:
        assert "KNOWHOW_STRICT" not in os.environ, "shellcheck is not installed; apt-get install shellcheck"
        pytest.skip("shellcheck is not installed")
    files = [str(path.relative_to(ROOT)) for path in (*SCRIPTS, *PARTS)]
    command = ["shellcheck", "--external-sources", *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_is_preemptible_and_takes_the_sites_settings(script: Path) -> None:
    text = script.read_text()
    options = {line.split()[1].partition("=")[0] for line in text.splitlines() if line.startswith("#SBATCH")}
    assert options >= {"--job-name", "--nodes", "--time", "--requeue", "--signal", "--output", "--open-mode"}
    assert 'source "${SLURM_SUBMIT_DIR:-.}/slurm/job.sh"' in text
    assert "USR2" in text
    assert "requeueing" in text or "back_into_the_queue" in text


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_guide_tells_of_every_script(script: Path) -> None:
    assert f"slurm/{script.name}" in (ROOT / "slurm" / "README.md").read_text()


def test_the_settings_that_scripts_and_guide_name_exist() -> None:
    """Each ``key=value`` after ``bench run``, and of the commands in the guide, composes."""
    texts = [path.read_text() for path in (*SCRIPTS, ROOT / "slurm" / "README.md")]
    found = {key for text in texts for key in re.findall(r"\b((?:engine|tuning|index)\.[a-z_]+)=", text)}
    assert found >= {"engine.pipeline_parallel_size", "engine.distributed_executor_backend", "tuning.processes"}
    engines = {"engine.base_url": "openai", "engine.served_model": "openai"}
    for key in found:
        group, _, name = key.partition(".")
        option = {"engine": engines.get(key, "vllm"), "tuning": "lora", "index": "server"}[group]
        further = ["index.url=http://h"] if group == "index" else []
        assert name in compose([f"{group}={option}", *further])[group], key
