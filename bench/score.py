"""``bench score``: a run again from its files, or answers that any system anywhere gave."""

from __future__ import annotations

from pathlib import Path

from bench.adopt import adopt
from bench.config import build
from bench.detect import detect
from bench.report import report
from bench.reporting.table import console_table
from bench.scoring import open_run, score


def main(arguments: list[str]) -> int:
    """``bench score RUN_DIR`` or ``SAMPLES.jsonl ANSWERS.jsonl [metrics=...] [detector=...] [out=DIR]``."""
    files = [argument for argument in arguments if argument.endswith(".jsonl") and "=" not in argument]
    if not files:
        workspace, stored = open_run(arguments)
        count = score(workspace, workspace.read_manifest()["metrics"], build(stored.detector))
        print(f"{count} scores in {workspace.scores}")
        return 0
    workspace, config = adopt(Path(files[0]), Path(files[1]) if len(files) == 2 else None, arguments)
    detector = build(config["detector"])
    detect(workspace, detector)
    score(workspace, workspace.read_manifest()["metrics"], detector)
    print(console_table(report(workspace, build(config["price"]))))
    print(workspace.path)
    return 0
