"""Where jobs run: ``hydra/launcher=NAME`` chooses a file of ``conf/hydra/launcher`` or of the site's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bench.checking import check_nodes
from bench.config import build, launcher_node
from bench.sweeping.plan import Job, Sweep


class Launcher(Protocol):
    """Runs jobs, or has them run."""

    @property
    def detached(self) -> bool:
        """Whether ``launch`` returns at once, and the jobs run elsewhere."""
        ...

    def check(self) -> None:
        """Raise UserError where this machine cannot launch like that; called before anything is planned."""
        ...

    def launch(self, sweep: Sweep, jobs: Sequence[Job]) -> None:
        """Run these jobs of a sweep, or hand them over."""
        ...


def launcher(overrides: Sequence[str]) -> Launcher:
    """The launcher of these settings, checked."""
    node = launcher_node(overrides)
    check_nodes({"hydra": {"launcher": node}}, {})
    made: Launcher = build(node)
    made.check()
    return made
