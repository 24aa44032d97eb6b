"""``bench doctor``: what works on this machine and what does not, with the fix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from bench.checkup.base import About, Finding, Settings, State
from bench.checkup.examine import examine
from bench.config import build, compose, resolved
from systems.base import UserError

FLAGS = ("--json", "--deep")


def table(findings: Sequence[Finding]) -> str:
    """A line for each; where something is to be done, a second one says what."""
    lines = []
    for one in findings:
        lines.append(f"{one.state:10}  {one.name:13}  {one.found}")
        if one.fix:
            lines.append(f"{'':27}fix: {one.fix}")
    return "\n".join(lines)


def lacking(findings: Sequence[Finding]) -> list[str]:
    """Names of what the run cannot do without and is not right."""
    return [one.name for one in findings if one.needed and one.state is not State.OK]


def about(overrides: Sequence[str], deep: bool) -> About:
    """What is to be looked for. Without Hydra there is no config, which the packages' row will say."""
    own = {field.name for field in fields(Settings)}
    mine = [one for one in overrides if one.partition("=")[0] in own]
    try:
        settings: Settings = build(compose(mine, root="doctor"))
        config: Mapping[str, Any] = resolved(compose([one for one in overrides if one not in mine]))
    except ImportError:
        settings, config = Settings(), {}
    return About(settings=settings, config=config, deep=deep)


def main(arguments: list[str]) -> int:
    """``bench doctor [key=value ...] [--deep] [--json]``; 0 where the run that the config describes can be made."""
    flags = [argument for argument in arguments if argument.startswith("--")]
    for flag in flags:
        if flag not in FLAGS:
            raise UserError(f"{flag}: no such flag here; there are {', '.join(FLAGS)} and --traceback")
    given = [argument for argument in arguments if argument not in flags]
    findings = examine(about(given, "--deep" in flags))
    broken = lacking(findings)
    if "--json" in flags:
        print(json.dumps({"ready": not broken, "findings": [asdict(one) for one in findings]}, ensure_ascii=False))
    else:
        said = f"not ready: see {', '.join(broken)}" if broken else "ready: bench run can be made with this config"
        print(f"{table(findings)}\n\n{said}")
    return 1 if broken else 0
