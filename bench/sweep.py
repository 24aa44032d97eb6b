"""``bench sweep``: a grid of runs. Submitted at once, looked after and collected from files alone.

bench sweep submit KEY=A,B ... [sweep_dir=DIR] [hydra/launcher=NAME]
bench sweep status DIR | resume DIR | collect DIR
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.progress import Progress, say
from bench.report import HEADLINE
from bench.sweeping.collect import collect
from bench.sweeping.launching import Launcher, launcher
from bench.sweeping.plan import LAUNCHER, Sweep, plan, read_sweep
from bench.sweeping.queue import read_queue
from bench.sweeping.status import Standing, standings, status_table
from systems.base import UserError

COMMANDS = ("submit", "status", "resume", "collect")
POLL_SECONDS = 2.0


def main(arguments: list[str]) -> int:
    """``bench sweep COMMAND ...``."""
    if not arguments or arguments[0] not in COMMANDS:
        raise UserError(f"{arguments[0] if arguments else 'a command is missing'}: say one of {', '.join(COMMANDS)}")
    command, *rest = arguments
    as_json = "--json" in rest
    rest = [argument for argument in rest if argument != "--json"]
    if command == "submit":
        sweep = submit(rest)
        found = standings(sweep, read_queue())
    else:
        sweep = read_sweep(_place(rest))
        found = standings(sweep, read_queue())
        settings = [argument for argument in rest[1:] if argument.startswith(LAUNCHER)]
        if unknown := [argument for argument in rest[1:] if argument not in settings or command != "resume"]:
            raise UserError(f"{unknown[0]}: bench sweep {command} knows no such setting")
        if command == "collect":
            text = collect(sweep, found, HEADLINE)
            print((sweep.path / "table.json").read_text(encoding="utf-8").strip() if as_json else text)
            say(f"table: {sweep.path / 'table.csv'} and table.json")
            return 0
        if command == "resume":
            _launch(sweep, launcher(merged(sweep.launcher, settings)), found)
            found = standings(sweep, read_queue())
    print(json.dumps(_told(sweep, found), ensure_ascii=False) if as_json else status_table(sweep, found))
    return 0


def submit(arguments: Sequence[str]) -> Sweep:
    """Plan a sweep and hand its jobs over; on a cluster unless another launcher is named."""
    named = any(argument.startswith("hydra/launcher=") for argument in arguments)
    sweep, chosen = _planned(arguments if named else [*arguments, "hydra/launcher=slurm"])
    if not chosen.detached:
        raise UserError("hydra/launcher: this one runs jobs here, to their end; say bench run -m, or take slurm")
    _launch(sweep, chosen, standings(sweep, read_queue()))
    return sweep


def multirun(arguments: Sequence[str]) -> int:
    """``bench run -m``: a sweep to its end. Exit code 1 where a job failed."""
    sweep, chosen = _planned(arguments)
    _launch(sweep, chosen, standings(sweep, read_queue()))
    found = follow(sweep) if chosen.detached else standings(sweep, read_queue())
    say(status_table(sweep, found))
    print(collect(sweep, found, HEADLINE))
    print(f"table: {sweep.path / 'table.csv'}")
    print(sweep.path)
    return 0 if all(one.state == "done" for one in found) else 1


def follow(sweep: Sweep) -> list[Standing]:
    """Wait until no job runs or is queued. Leaving off does the jobs no harm."""
    with Progress("jobs", len(sweep.jobs)) as progress:
        while True:
            found = standings(sweep, read_queue())
            counts = Counter(one.state for one in found)
            over = counts["done"] + counts["failed"]
            if over > progress.done:
                progress.step(f"{counts['running']} running, {counts['failed']} failed", over - progress.done)
            if not counts["running"] + counts["queued"]:
                return found
            try:
                time.sleep(POLL_SECONDS)
            except KeyboardInterrupt:
                say(f"left: the jobs go on; bench sweep status {sweep.path} shows how they stand")
                raise


def _planned(arguments: Sequence[str]) -> tuple[Sweep, Launcher]:
    """The sweep and its launcher; a mistake in either, or in any job's config, is found before anything begins."""
    chosen = launcher([argument for argument in arguments if argument.startswith(LAUNCHER)])
    sweep = plan(arguments)
    sweep.write()
    return sweep, chosen


def _launch(sweep: Sweep, chosen: Launcher, found: Sequence[Standing]) -> None:
    """Have run what is not done, and not on its way."""
    owed = [one.job for one in found if one.state in ("waiting", "failed")]
    if not owed:
        return
    chosen.launch(sweep, owed)
    if chosen.detached:
        say(f"submitted: {len(owed)} of {len(found)} jobs")


def merged(before: Sequence[str], further: Sequence[str]) -> list[str]:
    """Settings of a launcher with further ones, which count; another launcher starts from none."""
    return [*further] if any(one.startswith("hydra/launcher=") for one in further) else [*before, *further]


def _place(rest: Sequence[str]) -> Path:
    if not rest or "=" in rest[0]:
        raise UserError("give the sweep's directory first")
    return Path(rest[0])


def _told(sweep: Sweep, found: Sequence[Standing]) -> dict[str, object]:
    return {"sweep": str(sweep.path), "jobs": [one.to_json() for one in found]}
