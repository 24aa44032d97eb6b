"""``bench detect``: the declared detector judges the stored answers; its verdicts are kept beside them."""

from __future__ import annotations

from typing import Any

from bench.generate import read_passages
from bench.workspace import Workspace, write_lines


def detect(workspace: Workspace, detector: Any) -> int:
    """Judge every prediction of a run; returns how many got a verdict."""
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    passages = read_passages(workspace)
    rows = []
    for prediction in workspace.read_predictions():
        shown = [passages[chunk] for chunk in prediction.shown]
        verdict = detector.judge(samples[prediction.task, prediction.sample], prediction, shown)
        if verdict is not None:
            key = {"system": prediction.system, "task": prediction.task, "sample": prediction.sample}
            rows.append({**key, "repeat": prediction.repeat, "verdicts": {detector.name: dict(verdict)}})
    write_lines(workspace.verdicts, rows)
    return len(rows)


def main(arguments: list[str]) -> int:
    """``bench detect RUN_DIR [detector=NAME]``: with the run's own config."""
    from bench.config import build
    from bench.scoring import open_run

    workspace, config = open_run(arguments)
    count = detect(workspace, build(config.detector))
    print(f"{count} verdicts in {workspace.verdicts}")
    return 0
