"""``bench detect``: the declared detector judges the stored answers; its verdicts are kept beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from bench.config import build
from bench.detect_files import detect_file
from bench.detectors.base import Case, Detector, ModelDetector, Verdict
from bench.detectors.closed_world import ClosedWorld
from bench.generate import read_passages
from bench.journal import Journal
from bench.progress import Progress
from bench.scoring import open_run
from bench.workspace import Workspace, write_lines
from systems.artifacts import content_hash


def detect(workspace: Workspace, detector: Detector | ModelDetector) -> int:
    """Judge every prediction of a run; returns how many got a verdict. Other detectors' verdicts stay."""
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    passages = read_passages(workspace)
    cases = [
        Case(samples[one.task, one.sample], one, tuple(passages[c] for c in one.shown if c in passages))
        for one in workspace.read_predictions()
    ]
    found = judged(cases, detector, workspace.path / "judged.jsonl")
    # Free, and what accuracy and attribution ask in a world where it is known what is so.
    exact = [ClosedWorld().judge(case.sample, case.prediction, case.shown) for case in cases]
    known = workspace.read_verdicts()
    rows = []
    for case, verdict, certain in zip(cases, found, exact, strict=True):
        key = case.prediction.key
        others = known.get((key.system, key.task, key.sample, key.repeat), {})
        verdicts = {name: one for name, one in others.items() if name != detector.name}
        if certain is not None:
            verdicts[ClosedWorld().name] = dict(certain)
        if verdict is not None:
            verdicts[detector.name] = dict(verdict)
        if verdicts:
            rows.append({**dataclasses.asdict(key), "verdicts": verdicts})
    write_lines(workspace.verdicts, rows)
    return sum(verdict is not None for verdict in found)


def judged(cases: Sequence[Case], detector: Detector | ModelDetector, journal: Path) -> list[Verdict | None]:
    """Verdicts in the order of the cases. A model's are journalled: none is asked for twice, even after a kill."""
    if not isinstance(detector, ModelDetector):
        return [detector.judge(case.sample, case.prediction, case.shown) for case in cases]
    names = [content_hash([detector.identity, _judged_text(case)]) for case in cases]
    with Journal(journal) as known:
        verdicts: dict[str, Verdict | None] = {row["case"]: row["verdict"] for row in known.records}
        # The same answer to the same question is asked for once.
        owed = [at for at, name in enumerate(names) if name not in verdicts and names.index(name) == at]
        with Progress(f"{detector.name}: judging", len(owed)) as progress:
            for index, verdict in detector.judge_all(cases[at] for at in owed):
                name = names[owed[index]]
                verdicts[name] = verdict
                if not (verdict or {}).get("failed"):  # a call that failed is made again next time
                    known.append({"case": name, "verdict": None if verdict is None else dict(verdict)})
                progress.step()
    return [verdicts[name] for name in names]


def _judged_text(case: Case) -> list[object]:
    """All of a case that a verdict may depend on."""
    shown = [[chunk.title, chunk.text] for chunk in case.shown]
    return [case.sample.query.text, case.sample.reference, case.prediction.text, case.prediction.error, shown]


def main(arguments: list[str]) -> int:
    """``bench detect RUN_DIR [detector=NAME]``, or ``bench detect ANSWERS.jsonl detector=NAME [out=FILE]``."""
    files = [argument for argument in arguments if argument.endswith(".jsonl") and "=" not in argument]
    if files:
        return detect_file(Path(files[0]), [argument for argument in arguments if argument != files[0]], judged)
    workspace, config = open_run(arguments)
    count = detect(workspace, build(config.detector))
    print(f"{count} verdicts in {workspace.verdicts}")
    return 0
