"""Human labels of a run: a blind sheet out, labels in, and how far people, measures and detectors agree."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.generate import read_passages
from bench.journal import write_atomically
from bench.records import Key, Prediction, Sample
from bench.stats.agreement import cohen_kappa
from bench.workspace import Workspace, read_lines, write_lines
from systems.base import UserError
from systems.prompts import passage

COLUMNS = ("item", "question", "passages", "right answer", "answer", "correct", "hallucinated", "note")
QUESTIONS = {
    "correct": (("accuracy",), "accuracy"),
    "hallucinated": (("hallucination_rate", "unfaithful_rate"), "detector"),
}
"""What people are asked → the measures that answer the same, and what they are called among the raters. Many detectors
know only the passages: the first measure that has a value is taken."""
WORDS = {"yes": True, "y": True, "1": True, "true": True, "no": False, "n": False, "0": False, "false": False}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that begins so."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

Labels = dict[str, dict[Key, bool]]
"""Question → prediction → yes or no."""


def item(key: Key, seed: int) -> str:
    """What stands for a prediction on a sheet: it tells nothing of the system, and needs no key to be kept."""
    text = json.dumps([seed, key.system, key.task, key.sample, key.repeat])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def choose(predictions: Sequence[Prediction], count: int, seed: int) -> list[Prediction]:
    """``count`` answers: of every system and task as many as can be, then shuffled."""
    rng = random.Random(f"label-{seed}")
    groups: dict[tuple[str, str], list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        groups[prediction.system, prediction.task].append(prediction)
    for members in groups.values():
        rng.shuffle(members)
    turns = itertools.zip_longest(*groups.values())
    found = [prediction for turn in turns for prediction in turn if prediction is not None][:count]
    rng.shuffle(found)
    return found


def sheet(workspace: Workspace, count: int, seed: int) -> str:
    """The sheet as CSV."""
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    passages = read_passages(workspace)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for prediction in choose(workspace.read_predictions(), count, seed):
        sample = samples[prediction.task, prediction.sample]
        # Of answers made elsewhere the passages' ids may be all there is.
        texts = (passage(n, passages[c]) if c in passages else f"[{n}] {c}" for n, c in enumerate(prediction.shown, 1))
        cells = (sample.query.text, "\n".join(texts), _reference(sample), prediction.text)
        writer.writerow([item(prediction.key, seed), *map(_safe, cells), "", "", ""])
    return out.getvalue()


def _reference(sample: Sample) -> str:
    if sample.open:
        return "(no one answer is right)" if sample.reference is None else f"for example: {sample.reference}"
    if sample.reference is None:
        return "(it is not known)"
    if isinstance(sample.reference, str):
        return " / ".join((sample.reference, *sample.references))
    return json.dumps(sample.reference, ensure_ascii=False)


def _safe(cell: str) -> str:
    return "'" + cell if cell.startswith(FORMULA) else cell


def read_sheet(path: Path, keys: Mapping[str, Key]) -> Labels:
    """Labels of a filled-in sheet; empty cells are no labels. ``keys``: item → prediction."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give a sheet that bench label wrote") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8; save the sheet as CSV in UTF-8") from None
    # People's spreadsheets part cells by semicolons in half of Europe.
    head = text.partition("\n")[0]
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ","))
    missing = [name for name in ("item", *QUESTIONS) if not rows or name not in rows[0]]
    if missing:
        raise UserError(f"{path}: has no column {missing[0]!r}; give a sheet that bench label wrote")
    found: Labels = {question: {} for question in QUESTIONS}
    for number, row in enumerate(rows, 2):
        for question in QUESTIONS:
            word = (row[question] or "").strip().casefold()
            if not word:
                continue
            if word not in WORDS:
                raise UserError(f"{path}: row {number}: {question} is {word!r}; must be yes, no or empty")
            key = keys.get((row["item"] or "").strip())
            if key is None:
                raise UserError(f"{path}: row {number}: item {row['item']!r} is not of this run and seed")
            found[question][key] = WORDS[word]
    if not any(found.values()):
        raise UserError(f"{path}: nothing is labelled; write yes or no under {' and '.join(QUESTIONS)}")
    return found


def keep(workspace: Workspace, annotator: str, labels: Labels) -> Path:
    """Write an annotator's labels into the run; what they labelled again is replaced."""
    if not NAME.fullmatch(annotator):
        raise UserError(f"annotator={annotator}: must be letters, digits, '.', '_' and '-'")
    if annotator in (taken := [rater for _, rater in QUESTIONS.values()]):
        raise UserError(f"annotator={annotator}: {' and '.join(taken)} stand for the run's own measures; take another")
    path = workspace.path / "labels" / f"{annotator}.jsonl"
    path.parent.mkdir(exist_ok=True)
    merged = _read_labels(path) if path.exists() else {question: {} for question in QUESTIONS}
    for question, given in labels.items():
        merged[question] |= given
    write_lines(
        path,
        (
            {
                "system": key.system,
                "task": key.task,
                "sample": key.sample,
                "repeat": key.repeat,
                "question": question,
                "label": label,
            }
            for question, given in merged.items()
            for key, label in sorted(given.items())
        ),
    )
    return path


def _read_labels(path: Path) -> Labels:
    found: Labels = {question: {} for question in QUESTIONS}
    for row in read_lines(path):
        found[row["question"]][Key(row["system"], row["task"], row["sample"], row["repeat"])] = row["label"]
    return found


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two raters agree on one question."""

    question: str
    first: str
    second: str
    n: int
    agreed: float
    """Share of the answers on which they agree."""
    kappa: float | None
    low: float | None
    high: float | None
    reason: str | None = None
    """Why there is no kappa."""


def raters(workspace: Workspace) -> dict[str, dict[str, dict[Key, bool]]]:
    """Question → rater → labels: every annotator, then the run's own measures."""
    found: dict[str, dict[str, dict[Key, bool]]] = {question: {} for question in QUESTIONS}
    for path in sorted((workspace.path / "labels").glob("*.jsonl")):
        for question, labels in _read_labels(path).items():
            if labels:
                found[question][path.stem] = labels
    scores = workspace.read_scores()
    for question, (metrics, rater) in QUESTIONS.items():
        measured: dict[Key, bool] = {}
        for metric in metrics:
            for score in scores:
                if score.metric == metric and score.value in (0.0, 1.0):
                    measured.setdefault(Key(score.system, score.task, score.sample, score.repeat), score.value == 1.0)
        if measured:
            found[question][rater] = measured
    return found


def agreements(workspace: Workspace) -> list[Agreement]:
    """Every annotator against every other rater, question by question."""
    people = {path.stem for path in (workspace.path / "labels").glob("*.jsonl")}
    return [
        agreement
        for question, known in raters(workspace).items()
        for (first, a), (second, b) in itertools.combinations(known.items(), 2)
        if first in people or second in people
        for agreement in _agreement(question, (first, a), (second, b))
    ]


def _agreement(
    question: str, first: tuple[str, dict[Key, bool]], second: tuple[str, dict[Key, bool]]
) -> Iterator[Agreement]:
    shared = sorted(set(first[1]) & set(second[1]))
    if not shared:
        return
    a, b = [first[1][key] for key in shared], [second[1][key] for key in shared]
    agreed = sum(x == y for x, y in zip(a, b, strict=True)) / len(shared)
    values: dict[str, Any] = {"kappa": None, "low": None, "high": None}
    try:
        # Systems answer the same questions: an answer is not a new question.
        found = cohen_kappa(a, b, [(key.task, key.sample) for key in shared])
        values = {"kappa": found.estimate, "low": found.low, "high": found.high}
        values["reason"] = found.method if found.low is None else None
    except ValueError as error:
        values["reason"] = str(error).partition(": ")[2]
    yield Agreement(question=question, first=first[0], second=second[0], n=len(shared), agreed=agreed, **values)


def write_agreement(workspace: Workspace) -> list[Agreement]:
    """``agreement.json`` of a run, where people labelled some of it; returns what it holds."""
    if not (workspace.path / "labels").is_dir():
        return []
    found = agreements(workspace)
    rows = [{name: value for name, value in vars(row).items() if value is not None} for row in found]
    write_atomically(workspace.path / "agreement.json", json.dumps({"pairs": rows}, indent=1) + "\n")
    return found
