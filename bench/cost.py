"""``bench cost``: what a run's systems cost per call, to build and to keep, at any price; nothing is run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bench.config import build, compose
from bench.costs.file import write_account
from bench.costs.price import Price
from bench.costs.settings import BY_SYSTEM, Settings
from bench.reporting.costs import cost_table
from bench.reporting.page import write_report
from bench.reporting.run_files import read_summary
from bench.scoring import open_run
from systems.base import UserError

__all__ = ["Price"]  # the configs of runs made before bench.costs name it here


def settings(overrides: Sequence[str], systems: Sequence[str]) -> Settings:
    """The root ``cost`` with the user's own figures; those by system name one of the run's, as ``curation.rag=100``."""
    named = []
    for override in overrides:
        key, _, name = override.partition("=")[0].partition(".")
        if key in BY_SYSTEM and name and name not in systems:
            raise UserError(f"{key}.{name}: the run has no such system; it has: {', '.join(systems)}")
        named.append(f"+{override}" if key in BY_SYSTEM and name else override)
    found: Settings = build(compose(named, root="cost"))
    for key in BY_SYSTEM:
        given: Any = getattr(found, key)
        for name in given if isinstance(given, dict) else ():
            if name not in systems:
                raise UserError(f"{key}.{name}: the run has no such system; it has: {', '.join(systems)}")
    return found


def main(arguments: list[str]) -> int:
    """``bench cost RUN_DIR [price=NAME] [volume=CALLS] [updates_per_month=N] [KEY.SYSTEM=AMOUNT ...] [--json]``."""
    flags = {argument for argument in arguments if argument.startswith("--")}
    for flag in sorted(flags - {"--json"}):
        raise UserError(f"{flag}: no such flag here; there are --json and --traceback")
    given = [argument for argument in arguments if argument not in flags]
    own = [one for one in given if "=" in one and one.partition("=")[0].partition(".")[0] != "price"]
    workspace, config = open_run([one for one in given if one not in own])
    summary = read_summary(workspace.path)
    figures = settings(own, list(summary["systems"]))
    found = write_account(workspace, summary, build(config.price), figures)
    place = write_report(workspace.path)
    if "--json" in flags:
        print(json.dumps(found, ensure_ascii=False))
    else:
        print(f"{cost_table(found)}\nreport: {place}\n{workspace.cost}")
    return 0
