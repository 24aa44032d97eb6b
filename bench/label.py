"""``bench label``: a blind sheet for people, and what they said back into the run."""

from __future__ import annotations

from pathlib import Path

from bench.costs.file import write_again
from bench.journal import write_atomically
from bench.labels import item, keep, read_sheet, sheet, write_agreement
from bench.secondary import mark_again
from bench.workspace import Workspace
from systems.base import UserError

USAGE = "bench label RUN_DIR [count=100] [seed=0] [out=FILE.csv] | RUN_DIR SHEET.csv annotator=NAME [seed=0]"


def main(arguments: list[str]) -> int:
    """Write a sheet, or read one back and print the agreement."""
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    paths = [argument for argument in arguments if "=" not in argument]
    unknown = [key for key in given if key not in ("count", "seed", "out", "annotator")]
    if unknown or not 1 <= len(paths) <= 2:
        raise UserError(f"{unknown[0]}: unknown; {USAGE}" if unknown else USAGE)
    workspace = Workspace(Path(paths[0]))
    numbers = {}
    for key, default in (("count", "100"), ("seed", "0")):
        if not given.get(key, default).isdigit():
            raise UserError(f"{key}={given[key]}: must be a whole number")
        numbers[key] = int(given.get(key, default))
    if len(paths) == 1:
        out = Path(given.get("out", workspace.path / "sheet.csv"))
        if out.exists():
            raise UserError(f"{out}: stands there already, perhaps with somebody's labels; give another out=FILE.csv")
        write_atomically(out, sheet(workspace, numbers["count"], numbers["seed"]))
        print(out)
        return 0
    if "annotator" not in given:
        raise UserError("annotator: has to be given, as annotator=NAME, so that people can be told apart")
    keys = {item(p.key, numbers["seed"]): p.key for p in workspace.read_predictions()}
    from bench.reporting.page import write_report
    from bench.reporting.run_files import read_summary

    path = keep(workspace, given["annotator"], read_sheet(Path(paths[1]), keys))
    rows = write_agreement(workspace)
    for row in rows:
        ends = f" ({row.low:.2f} to {row.high:.2f})" if row.low is not None and row.high is not None else ""
        kappa = f"kappa {row.kappa:.2f}{ends}" if row.kappa is not None else row.reason
        print(f"{row.question}: {row.first} and {row.second}: {100 * row.agreed:.0f} % of {row.n} alike, {kappa}")
    if workspace.summary.exists():
        if reason := mark_again(workspace, rows):
            print(f"secondary: {reason}")
        write_again(workspace, read_summary(workspace.path))
        write_report(workspace.path)
    print(path)
    return 0
