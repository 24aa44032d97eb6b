"""Jobs on a Slurm cluster: one array, submitted by submitit, which puts a preempted job back into the queue."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.sweeping.attempts import write_submitted
from bench.sweeping.plan import Job, Sweep
from bench.sweeping.work import Work
from systems.base import Failure, UserError

LARGEST_ARRAY = 1000
"""Slurm's MaxArraySize is 1001 unless a site says otherwise: more jobs become several arrays."""


@dataclass(frozen=True, kw_only=True)
class Slurm:
    """Settings of ``conf/hydra/launcher/slurm.yaml``, which says what each is."""

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    gpus_per_node: int | str | None = None
    cpus_per_task: int | None = None
    mem_gb: float | None = None
    timeout_min: int = 240
    array_parallelism: int = 256
    signal_delay_s: int = 120
    max_num_timeout: int = 100
    setup: Sequence[str] = ()
    container: Sequence[str] = ()
    additional_parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, least in (("timeout_min", 1), ("array_parallelism", 1), ("signal_delay_s", 1), ("max_num_timeout", 0)):
            if getattr(self, key) < least:
                raise UserError(f"hydra.launcher.{key}={getattr(self, key)}: must be {least} or more")
        if self.signal_delay_s >= 60 * self.timeout_min:
            raise UserError(
                f"hydra.launcher.signal_delay_s={self.signal_delay_s}: must be less than the time limit "
                f"(timeout_min={self.timeout_min}), or a job is signalled before it begins"
            )

    @property
    def detached(self) -> bool:
        return True

    def check(self) -> None:
        """Slurm's commands must be there."""
        missing = [name for name in ("sbatch", "srun", "scontrol") if shutil.which(name) is None]
        if missing:
            raise UserError(
                f"hydra/launcher=slurm: there is no {missing[0]} here; submit from a login node of the cluster, "
                "or run the jobs here: bench run -m hydra/launcher=local"
            )

    def launch(self, sweep: Sweep, jobs: Sequence[Job]) -> None:
        """Submit these jobs as one array (several, if there are very many)."""
        for start in range(0, len(jobs), LARGEST_ARRAY):
            self._submit(sweep, jobs[start : start + LARGEST_ARRAY])

    def _submit(self, sweep: Sweep, jobs: Sequence[Job]) -> None:
        from submitit import SlurmExecutor
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        # A job has this long to write its checkpoint; submitit needs the rest to put it back.
        grace = max(self.signal_delay_s - 20.0, self.signal_delay_s / 2)
        executor = SlurmExecutor(sweep.path / "slurm", max_num_timeout=self.max_num_timeout)
        executor.update_parameters(**self.parameters(sweep.path.name))
        work = [Work(sweep.path, job.number, tuple(self.container), grace) for job in jobs]
        try:
            submitted = executor.submit_array(work)
        except (FailedJobError, FailedSubmissionError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            told = [line for line in lines if line.startswith("sbatch: ")] or lines
            raise Failure(
                f"{told[-1]} (nothing of this array was submitted: bench doctor looks at Slurm, "
                f"bench sweep resume {sweep.path} submits it, bench run -m runs such a sweep here)"
            ) from error
        for job, known in zip(jobs, submitted, strict=True):
            write_submitted(sweep.folder(job), known.job_id)

    def parameters(self, name: str) -> dict[str, Any]:
        """What submitit is told."""
        given = {
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "constraint": self.constraint,
            "gpus_per_node": self.gpus_per_node,
            "cpus_per_task": self.cpus_per_task,
            "mem": None if self.mem_gb is None else f"{round(1024 * self.mem_gb)}MB",
            "setup": list(self.setup) or None,
        }
        return {
            "job_name": name,
            "time": self.timeout_min,
            "array_parallelism": self.array_parallelism,
            "signal_delay_s": self.signal_delay_s,
            "stderr_to_stdout": True,
            "wckey": None,  # submitit's own default, which clusters that count by such keys refuse
            "additional_parameters": {"requeue": True, **self.additional_parameters},
            **{key: value for key, value in given.items() if value is not None},
        }
