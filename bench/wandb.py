"""``bench wandb``: saved pages of W&B: the view that compares systems over a project's runs, a report of one run."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.config import build, compose
from bench.scoring import open_run
from bench.tracking.hosting import Guest
from bench.tracking.login import server
from bench.tracking.settings import Settings
from bench.workspace import Workspace
from systems.base import Failure, UserError

WAIT = 120.0
"""Seconds for a page to be saved."""
USAGE = "say bench wandb workspace [project=NAME] [entity=NAME] [columns=KEY,KEY], or bench wandb report RUN_DIR"


def main(arguments: list[str]) -> int:
    """``bench wandb workspace [project=NAME] [entity=NAME] [columns=KEY,...]`` or ``bench wandb report RUN_DIR``."""
    what, *given = arguments or [""]
    if what == "workspace":
        options = dict(_option(one) for one in given)
        columns = [key for key in options.pop("columns", "").split(",") if key]
        own = [f"tracker.{key}={value}" for key, value in options.items()]
        tracker = build(compose(["tracker=wandb", *own]).tracker)
        with TemporaryDirectory() as folder:
            print(_saved(Workspace(Path(folder)), tracker.settings, "workspace", columns))
        return 0
    if what == "report":
        workspace, config = open_run(given)
        tracker = build(config.tracker)
        settings = getattr(tracker, "settings", None)
        if settings is None:
            raise UserError("tracker=none: the run is not in W&B; add tracker=wandb")
        print(_saved(workspace, settings, "report"))
        return 0
    raise UserError(f"{what or 'wandb'}: {USAGE}")


def _option(given: str) -> tuple[str, str]:
    key, mark, value = given.partition("=")
    if key not in ("project", "entity", "columns") or not mark or not value:
        raise UserError(f"{given}: {USAGE}")
    return key, value


def _saved(workspace: Workspace, settings: Settings, what: str, columns: list[str] | None = None) -> str:
    """The address of what was saved."""
    with closing(Guest(workspace, settings, what, "online", columns or ()).answers(WAIT)) as answers:
        for told in answers:
            if told.wrong:
                raise Failure(
                    f"{server()}: {what} was not saved: {told.wrong.rstrip('.')} ($WANDB_BASE_URL says where)"
                )
            return told.name
    raise Failure(f"{server()}: {what} was not saved")
