"""``make benchmarks``: run every benchmark and print one table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

APART = {"__init__", "__main__", "record", "demo", "watched", "sizing", "stored_run"}


def main() -> int:
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in APART)
    worst = 0
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            print(f"{name:20} failed with exit code {done.returncode}")
            worst = 1
            continue
        for row in json.loads(done.stdout.strip().splitlines()[-1])["figures"]:
            mark = {True: "holds", False: "MISSED", None: ""}[row["holds"]]
            worst |= row["holds"] is False
            print(f"{name:20} {row['name']:34} {row['value']:10.4g} {row['unit']:12} {row['target']:12} {mark}")
    return worst


if __name__ == "__main__":
    sys.exit(main())
