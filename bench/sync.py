"""``bench sync``: sends runs to W&B that it does not hold as they are now; a second call sends nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.checkup.web import shown
from bench.config import build
from bench.progress import say
from bench.scoring import open_run
from bench.tracking.login import server
from bench.tracking.sent import unsent
from systems.base import Failure, UserError

LIMIT = 3600.0
"""Seconds for all runs together, unless ``limit`` says otherwise; what is left over is sent the next time."""


def run_directories(places: Sequence[str]) -> Iterator[Path]:
    """The runs named, and those inside of a sweep's directory."""
    for place in map(Path, places):
        if (place / "manifest.json").exists():
            yield place
            continue
        found = sorted(path.parent for path in place.rglob("manifest.json") if (path.parent / "samples.jsonl").exists())
        if not found:
            raise UserError(f"{place}: neither a run directory nor one that holds runs (manifest.json is missing)")
        yield from found


def sync(directory: Path, overrides: Sequence[str], seconds: float) -> dict[str, Any]:
    """Send one run. Raises ``Failure`` where the server does not hold all of it within ``seconds``."""
    workspace, config = open_run([str(directory), *overrides])
    tracker = build(config.tracker)
    if not hasattr(tracker, "write"):
        raise UserError(f"{directory}: was made with tracker=none; add tracker=wandb to send it")
    found: dict[str, Any] = {"run": str(directory), "sent": [], "unchanged": False, "incomplete": False}
    if not workspace.summary.exists():
        return {**found, "incomplete": True}
    names = unsent(workspace, tracker)
    if not names:
        return {**found, "unchanged": True}
    with workspace.alone():
        came = tracker.write(workspace, names, "online", seconds)
    if came.left:
        sent = f"; sent were {', '.join(came.done)}" if came.done else ""
        raise Failure(f"{directory}: {', '.join(came.left)} not sent to {shown(server())}: {came.wrong}{sent}")
    return {**found, "sent": list(came.done)}


def main(arguments: list[str]) -> int:
    """``bench sync RUN_DIR|SWEEP_DIR... [limit=SECONDS] [tracker.KEY=VALUE] [--json]``."""
    flags = {argument for argument in arguments if argument.startswith("--")}
    for flag in sorted(flags - {"--json"}):
        raise UserError(f"{flag}: no such flag here; there are --json and --traceback")
    places = [argument for argument in arguments if "=" not in argument and argument not in flags]
    given = dict(one.split("=", 1) for one in arguments if "=" in one)
    if not places:
        raise UserError("give the directories of runs or sweeps, as results/runs/NAME")
    try:
        limit = float(given.pop("limit", LIMIT))
    except ValueError:
        raise UserError("limit: must be a number of seconds, as limit=600") from None
    overrides = [f"{key}={value}" for key, value in given.items()]
    directories = list(dict.fromkeys(run_directories(places)))
    until, found, lost = time.monotonic() + limit, [], []
    for number, directory in enumerate(directories):
        left = until - time.monotonic()
        if left <= 0:
            raise Failure(f"{len(directories) - number} runs are not sent within limit={limit:g} s; say it again")
        try:
            found.append(sync(directory, overrides, left))
        except Failure as failure:
            lost.append(str(failure))
            if any(one["sent"] for one in found):
                continue
            if rest := len(directories) - number - 1:  # a server that is away, or refuses us, does so for all
                lost.append(f"{rest} more were not tried")
            raise Failure("; ".join(lost)) from failure
        if "--json" not in flags:
            last = found[-1]
            words = "unchanged" if last["unchanged"] else f"sent {', '.join(last['sent'])}"
            say(f"{directory}: {'not complete yet' if last['incomplete'] else words}")
    if "--json" in flags:
        print(json.dumps({"runs": found}))
    if lost:
        raise Failure("; ".join(lost))
    return 0
