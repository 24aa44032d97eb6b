"""Answers to open questions: exact match as published, accuracy beside what people accept (Kamalloo et al. 2023)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.metrics.accuracy import Accuracy
from bench.metrics.exact_match import ExactMatch
from bench.stats.agreement import cohen_kappa
from tests.metrics.making import prediction, sample
from tests.oracles.row import Row, above, as_published_here, same

PUBLISHED = {"DPR": "40.91", "FiD": "46.48", "FiD-KD": "49.56", "R2D2": "52.35"}
"""Exact match in percent over the 3,610 questions of NQ-open."""


def exact_match_rows(folder: Path) -> Iterator[Row]:
    """The four systems' published predictions, scored."""
    for system, expected in PUBLISHED.items():
        rows = [
            _scored(ExactMatch(), row["answer"], row["prediction"]) for row in _lines(folder / f"NQ_{system}.jsonl")
        ]
        got = f"{100 * sum(rows) / len(rows):.2f}"
        yield same("OpenQA-eval", f"exact match of {system}, % of {len(rows):,} answers", expected, got)


def human_rows(folder: Path) -> Iterator[Row]:
    """1,490 answers to 301 questions, judged by people: accuracy has to be nearer to them than exact match."""
    known = {_key(row["question"]): row["answer"] for row in _lines(folder / "NQ_DPR.jsonl")}
    with (folder / "NQ301_human.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    accepted = [row["Acceptable?"].strip() == "Yes" for row in rows]
    said = {
        metric.name: [_scored(metric, known[_key(row["Question"])], row["Model answer"]) == 1 for row in rows]
        for metric in (Accuracy(), ExactMatch())
    }
    questions = [row["Question"] for row in rows]
    accuracy, exact = (cohen_kappa(said[name], accepted, questions) for name in ("accuracy", "exact_match"))
    credited = [right for right, given in zip(accepted, said["accuracy"], strict=True) if given]
    oracle, of = "people (NQ301)", f"{len(rows):,} answers"
    kappa, share = (
        f"kappa of lexical accuracy, {of}; beside exact match's",
        "share of what accuracy credits that people accept",
    )
    yield as_published_here(above(oracle, kappa, exact.estimate, accuracy.estimate))
    yield as_published_here(above(oracle, share, 0.9, sum(credited) / len(credited)))
    # What this project had when it was last looked at: strict on both sides, it misses what is right in other words.
    counts = f"{len(credited)}, {sum(credited)}, {sum(accepted)}"
    yield as_published_here(same(oracle, "credited, of them accepted, accepted in all", "500, 470, 816", counts))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _key(question: str) -> str:
    return question.lower().rstrip("?")


def _scored(metric: Accuracy | ExactMatch, references: list[str], answer: str) -> float:
    asked = sample(references[0], references=tuple(references[1:]))
    return metric.score(asked, prediction(answer), {}).value or 0.0
