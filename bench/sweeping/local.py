"""Jobs one after another, on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.progress import Progress, say
from bench.sweeping.plan import Job, Sweep
from bench.sweeping.work import Work
from systems.base import Failure


@dataclass(frozen=True, kw_only=True)
class Local:
    """Settings of ``conf/hydra/launcher/local.yaml``."""

    @property
    def detached(self) -> bool:
        return False

    def check(self) -> None:
        """Every machine can."""

    def launch(self, sweep: Sweep, jobs: Sequence[Job]) -> None:
        """A job that fails is told of, and the next one begins."""
        with Progress("jobs", len(jobs)) as progress:
            for job in jobs:
                say(f"job {sweep.name(job)}: {sweep.folder(job) / 'log.txt'}")
                begun = time.monotonic()
                try:
                    Work(sweep.path, job.number)()
                    say(f"job {sweep.name(job)}: done in {time.monotonic() - begun:.1f} s")
                except Failure as failure:
                    say(str(failure))
                progress.step()
