"""The cluster the other tests rely on: jobs run, arrays run, a more urgent job takes a lesser one's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slurm.cluster import CORES, Cluster, wait_until

pytestmark = pytest.mark.slurm


def test_an_array_runs(cluster: Cluster, tmp_path: Path) -> None:
    wrapped = "srun sh -c 'echo $SLURM_ARRAY_TASK_ID $SLURM_JOB_PARTITION'"
    cluster.call("sbatch", "--wait", "--array=0-3", "--gpus-per-node=1", f"--output={tmp_path}/%a", f"--wrap={wrapped}")
    assert [(tmp_path / str(task)).read_text() for task in range(4)] == [f"{task} main\n" for task in range(4)]


def test_an_urgent_job_preempts_and_the_other_runs_again(cluster: Cluster, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(
        "#!/bin/bash\n"
        "trap 'echo signalled; scontrol requeue $SLURM_JOB_ID; sleep 60' USR2\n"
        "echo begun ${SLURM_RESTART_COUNT:-0}\n"
        "[ ${SLURM_RESTART_COUNT:-0} = 1 ] && exit 0\n"
        "sleep 100 & wait\n"
    )
    out = tmp_path / "out"
    options = ["--parsable", f"--ntasks={CORES}", "--requeue", "--open-mode=append", "--signal=B:USR2@60"]
    name = cluster.call("sbatch", *options, f"--output={out}", str(script))
    wait_until(out.exists, 60, "the job to begin")
    cluster.call("sbatch", "--wait", "--partition=urgent", f"--ntasks={CORES}", "--output=/dev/null", "--wrap=true")
    cluster.wait(name, "COMPLETED")
    told = [line for line in out.read_text().splitlines() if not line.startswith("slurmstepd")]
    assert told == ["begun 0", "signalled", "begun 1"]
