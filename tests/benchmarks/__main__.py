"""``make benchmarks``, or ``python -m tests.benchmarks NAME ...``: run them, keep their figures, print one table.

What a benchmark printed stays in ``figures/NAME.json`` with its date and machine, and all together in
``figures/README.md``; whoever runs them on another machine sees the difference in git.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FIGURES = HERE / "figures"
APART = {
    "__init__",
    "__main__",
    "record",
    "demo",
    "watched",
    "sizing",
    "stalling",
    "stored_run",
    "telling",
    "vllm_command",
}
MARKS = {True: "holds", False: "MISSED", None: ""}


def names() -> list[str]:
    """Every benchmark."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in APART)


def run(name: str) -> dict[str, Any] | None:
    """What a benchmark found, kept; ``None`` where it failed."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"{name}: failed with exit code {done.returncode}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (FIGURES / "README.md").write_text(table())
    return found


def table() -> str:
    """All figures that are kept, as Markdown."""
    lines = [
        "# Figures of the benchmarks",
        "",
        "Written by `python -m tests.benchmarks NAME`: each with its target, its date and its machine.",
        "",
        "| benchmark | figure | value | target | | date | machine |",
        "|---|---|---:|---|---|---|---|",
    ]
    for path in sorted(FIGURES.glob("*.json")):
        found = json.loads(path.read_text())
        machine = found["machine"]
        where = ", ".join([f"{machine['cores']} cores {machine['processor']}", *machine["gpus"]])
        for row in found["figures"]:
            value = f"{row['value']:.4g} {row['unit']}"
            cells = (found["name"], row["name"], value, row["target"], MARKS[row["holds"]], found["date"], where)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    wanted = sys.argv[1:] or names()
    if unknown := [name for name in wanted if name not in names()]:
        print(f"{unknown[0]}: no such benchmark; there are {', '.join(names())}", file=sys.stderr)
        return 2
    worst = 0
    for name in wanted:
        found = run(name)
        for row in found["figures"] if found else ():
            worst |= row["holds"] is False
            value = f"{row['value']:10.4g} {row['unit']:12}"
            print(f"{name:20} {row['name']:34} {value} {row['target']:12} {MARKS[row['holds']]}", flush=True)
        worst |= found is None
    return worst


if __name__ == "__main__":
    sys.exit(main())
