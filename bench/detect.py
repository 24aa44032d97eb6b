"""``bench detect``: the declared detector judges the stored answers; its verdicts are kept beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from bench.config import build
from bench.detect_files import detect_file
from bench.detectors.base import Case, Detector, ModelDetector
from bench.detectors.closed_world import ClosedWorld
from bench.generate import read_passages
from bench.judging import judged
from bench.scoring import open_run
from bench.tasks.base import SelfJudging, Task
from bench.workspace import Workspace, write_lines


def detect(workspace: Workspace, detector: Detector | ModelDetector, tasks: Sequence[Task] = ()) -> int:
    """Judge every prediction of a run; returns how many got a verdict. Other detectors' verdicts stay.

    ``tasks``: those of the run's suite, of which some judge their answers themselves.
    """
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    passages = read_passages(workspace)
    cases = [
        Case(samples[one.task, one.sample], one, tuple(passages[c] for c in one.shown if c in passages))
        for one in workspace.read_predictions()
    ]
    # The exact check besides: it is free, and accuracy and attribution ask it in a world where it is known what is so.
    judges = {one.name: one for one in (ClosedWorld(), detector)}
    found = {name: judged(cases, one, workspace.path / "judged.jsonl") for name, one in judges.items()}
    for task in tasks:
        if isinstance(task, SelfJudging):
            own = [at for at, case in enumerate(cases) if case.sample.task == task.name]
            given = found.setdefault(task.judge, [None] * len(cases))
            for at, verdict in zip(own, task.verdicts([cases[at].prediction for at in own]), strict=True):
                given[at] = verdict
    known = workspace.read_verdicts()
    rows = []
    for at, case in enumerate(cases):
        key = case.prediction.key
        others = known.get((key.system, key.task, key.sample, key.repeat), {})
        verdicts = {name: one for name, one in others.items() if name not in found}
        verdicts |= {name: dict(mine) for name, given in found.items() if (mine := given[at]) is not None}
        if verdicts:
            rows.append({**dataclasses.asdict(key), "verdicts": verdicts})
    write_lines(workspace.verdicts, rows)
    return sum(verdict is not None for verdict in found[detector.name])


def main(arguments: list[str]) -> int:
    """``bench detect RUN_DIR [detector=NAME]``, or ``bench detect ANSWERS.jsonl detector=NAME [out=FILE]``."""
    files = [argument for argument in arguments if argument.endswith(".jsonl") and "=" not in argument]
    if files:
        return detect_file(Path(files[0]), [argument for argument in arguments if argument != files[0]])
    workspace, config = open_run(arguments)
    judged_by = workspace.read_manifest().get("self_judging")
    with workspace.alone():
        count = detect(workspace, build(config.detector), build(config.suite).tasks if judged_by else ())
    print(f"{count} verdicts in {workspace.verdicts}")
    return 0
