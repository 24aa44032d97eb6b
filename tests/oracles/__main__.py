"""``python -m tests.oracles [NAME ...] [builds_dir=DIR]``: what the field's oracles expect, and what is measured here.

Wants the environment variable KNOWHOW_DATA: the folder with the third-party data. Exit code 1 where a figure is wrong.
The 5,183 vectors of ``scifact`` take minutes once, and are kept under ``builds_dir`` like those of any run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.oracles.row import Row
from tests.oracles.table import lines, oracles


def main(arguments: list[str]) -> int:
    """Print the table of the oracles that are named, or of all."""
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    names = [argument for argument in arguments if "=" not in argument]
    known = oracles(Path(given.pop("builds_dir", "results/builds")))
    if given or (unknown := [name for name in names if name not in known]):
        wrong = next(iter(given), None) or unknown[0]
        print(
            f"{wrong}: there is no such oracle or setting; there are: {', '.join(known)}, builds_dir", file=sys.stderr
        )
        return 2
    data = os.environ.get("KNOWHOW_DATA")
    if not data:
        print("KNOWHOW_DATA is not set: name the folder that holds the third-party data", file=sys.stderr)
        return 2
    found: list[Row] = []
    for name in names or known:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            found += known[name].rows(Path(data) / known[name].folder)
        except ModuleNotFoundError as missing:
            what = f"not worked out without {missing.name}: pip install {missing.name}"
            found.append(Row(oracle=name, what=what, expected="", got="", ok=False))
    for line in lines(found):
        print(line)
    return int(not all(row.ok for row in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
