"""Human labels of hallucination (RAGTruth): the lexical detector beside the length of the answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.detect_files import qualities, read_cases
from bench.detectors.lexical import Lexical
from bench.detectors.quality import known
from bench.stats.detection import auroc
from tests.oracles.row import Row, above, as_published_here, near, same

FIGURES = ("precision", "recall", "f1", "auroc")


def rows(folder: Path) -> Iterator[Row]:
    """Thresholds are chosen on other sources than they are measured on. What reports say of the detector is this.

    The labels are RAGTruth's; the figures of ``lexical`` are this project's own, out of ``quality.json``.
    """
    cases = read_cases(folder / "responses.jsonl")
    labels = [one.hallucinated for one in cases]
    yield same(
        "RAGTruth", "labelled answers, and hallucinated ones", "418, 83", f"{len(labels)}, {sum(map(bool, labels))}"
    )
    detector = Lexical(threshold=15)
    verdicts = [detector.judge(one.case.sample, one.case.prediction, one.case.shown) for one in cases]
    found = qualities(detector.name, cases, verdicts)
    lexical, length = found["lexical, cross-validated"], found["length, cross-validated"]
    for name in FIGURES:
        published = known()[detector.name][name][0]
        what = f"{name} of lexical, as reports say it"
        yield as_published_here(near("RAGTruth", what, published, getattr(lexical, name).estimate, 5e-4))
    beside = "AUROC of lexical; beside that of the answers' length in characters"
    yield as_published_here(above("RAGTruth", beside, length.auroc.estimate, lexical.auroc.estimate))
    words = auroc([len(one.case.prediction.text.split()) for one in cases], [bool(label) for label in labels])
    yield as_published_here(near("RAGTruth", "AUROC of the answers' length in words", 0.725, words, 5e-4))
    for name in FIGURES[:3]:
        got = f"{getattr(length, name).estimate:.3f}"
        yield Row(oracle="RAGTruth", what=f"{name} of the answers' length", expected="(to compare)", got=got, ok=True)
