"""``python -m bench.checkup PROBE``: one probe; standard input says about which run, standard output what it found."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

from bench.checkup.base import About, Finding, Settings, State
from bench.checkup.examine import probe
from systems.base import Failure, UserError

SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)


def findings(name: str, about: About) -> Sequence[Finding]:
    """What a probe finds, or what it died of."""
    module = probe(name)
    broken = Finding(name=module.NAME, state=State.BROKEN, found="", needed=module.ESSENTIAL)
    try:
        return module.look(about)
    except Exception as error:  # noqa: BLE001  what breaks here is what is looked for
        if isinstance(error, ImportError) or isinstance(error.__context__, ImportError):
            fix = "make install, or pip install -r requirements/portable.txt"
            return [replace(broken, state=State.MISSING, found=words(error), fix=fix)]
        return [replace(broken, found=words(error), fix="put right what it says, then run bench doctor again")]


def words(error: Exception) -> str:
    """An error in a line."""
    line = " ".join(str(error).split())[:200]
    return line if isinstance(error, UserError | Failure) else f"{type(error).__name__}: {line}"


def without_secrets(text: str) -> str:
    """The text without the values of variables that hold keys."""
    for name, value in os.environ.items():
        if SECRET.search(name) and len(value) >= 6:
            text = text.replace(value, "***")
    return text


def main() -> None:
    """Run the probe; what libraries print goes nowhere near the findings."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    told = json.loads(sys.stdin.read() or "{}")
    about = About(**{**told, "settings": Settings(**told.get("settings", {}))})
    rows = [
        {key: without_secrets(value) if isinstance(value, str) else value for key, value in asdict(row).items()}
        for row in findings(sys.argv[1], about)
    ]
    out.write(f"\n{json.dumps(rows)}")  # a line of its own, whatever was printed before
    out.flush()
    os._exit(0)  # threads that still wait for a network are left behind


if __name__ == "__main__":
    main()
