"""Verdicts on stored answers; those that a model gave are kept, so that none is asked for twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.detectors.base import Case, Detector, ModelDetector, Verdict
from bench.journal import Journal
from bench.progress import Progress
from systems.artifacts import content_hash


def judged(cases: Sequence[Case], detector: Detector | ModelDetector, journal: Path) -> list[Verdict | None]:
    """Verdicts in the order of the cases. A model's are journalled: none is asked for twice, even after a kill."""
    if not isinstance(detector, ModelDetector):
        return [detector.judge(case.sample, case.prediction, case.shown) for case in cases]
    names = [content_hash([detector.identity, _judged_text(case)]) for case in cases]
    with Journal(journal) as known:
        verdicts: dict[str, Verdict | None] = {row["case"]: row["verdict"] for row in known.records}
        # The same answer to the same question is asked for once.
        first = {name: at for at, name in reversed(list(enumerate(names)))}
        owed = sorted(at for name, at in first.items() if name not in verdicts)
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
