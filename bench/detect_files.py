"""A file of answers with their passages: a verdict and a score for each, and how good they are where people judged.

A line has ``question``, ``passages`` (a text, or a list of texts) and ``response``, and optionally ``id``, ``source``
(what answers share, as their passages: a threshold is chosen on other sources), ``hallucinated`` (true or false,
said by a person) and ``task`` (each is measured apart). RAGTruth's ``response.jsonl`` with ``source_info.jsonl`` beside
it is read as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.config import build, compose, resolved
from bench.detectors.base import Case, Verdict
from bench.json_lines import read_objects
from bench.judging import judged
from bench.records import Prediction, Sample
from bench.stats.detection import Detection, cross_validated, detection
from bench.tasks.checks import check_fields
from bench.tasks.public import ragtruth
from bench.workspace import write_lines
from systems.artifacts import content_hash
from systems.base import Chunk, Query, UserError

FIELDS: dict[str, tuple[type, ...]] = {
    "question": (str,),
    "passages": (str, list),
    "response": (str,),
    "id": (str, int),
    "source": (str, int),
    "hallucinated": (bool,),
    "task": (str,),
}
NEEDED = ("question", "passages", "response")
EXAMPLE = '{"question": "...", "passages": ["..."], "response": "..."}'

LEAST = 5
"""Labelled answers of either kind from which on a detector's figures are shown."""


@dataclass(frozen=True)
class Labelled:
    """A case with what a person said of it."""

    case: Case
    source: str
    hallucinated: bool | None
    task: str


def read_cases(path: Path) -> list[Labelled]:
    """All lines; the first mistake is an error that names its line."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a .jsonl file with one answer per line")
    found: list[Labelled] = []
    for number, where, data in _rows(path):
        for name in NEEDED:
            if name not in data:
                raise UserError(f"{where}: {name} is missing; every line has {', '.join(NEEDED)}")
        check_fields(data, FIELDS, where)
        texts = [data["passages"]] if isinstance(data["passages"], str) else data["passages"]
        if not all(isinstance(text, str) for text in texts):
            raise UserError(f"{where}: passages must be a text or a list of texts")
        name = str(data.get("id", number))
        shown = tuple(Chunk(id=content_hash(text)[:16], text=text) for text in texts)
        sample = Sample(id=name, task="answers", query=Query(text=data["question"]), reference="")
        prediction = Prediction(
            system="given", task="answers", sample=name, text=data["response"], shown=tuple(c.id for c in shown)
        )
        source = str(data.get("source", content_hash(texts)))
        found.append(Labelled(Case(sample, prediction, shown), source, data.get("hallucinated"), data.get("task", "")))
    if not found:
        raise UserError(f"{path}: has no answers")
    return found


def _rows(path: Path) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Number, place and content of each line; RAGTruth's in the form of all others, those it evaluates."""
    sources: dict[str, Any] | None = None
    for number, where, data in read_objects(path, EXAMPLE):
        if "source_id" not in data:
            yield number, where, data
            continue
        try:
            sources = _sources(path.with_name("source_info.jsonl")) if sources is None else sources
            found = ragtruth.response(data, sources)
        except KeyError as error:
            raise UserError(f"{where}: {error} is missing, which RAGTruth's answers and sources have") from None
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
        if found is not None:
            yield number, where, dataclasses.asdict(found)


def _sources(path: Path) -> dict[str, Any]:
    """RAGTruth's sources by id; none where the answers bring along what they were given."""
    rows = read_objects(path, '{"source_id": "1", "source_info": "..."}') if path.is_file() else ()
    return {str(row["source_id"]): row for _, _, row in rows}


def detect_file(path: Path, arguments: Sequence[str]) -> int:
    """Write a verdict for each line beside the file, and print how well they agree with people's labels."""
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    if "detector" not in given:
        raise UserError(f"detector: has to be given, as bench detect {path} detector=judge; bench --help lists them")
    for argument in arguments:
        if argument.partition("=")[0].partition(".")[0] not in ("detector", "task", "out"):
            raise UserError(f"{argument}: no such setting here; there are: detector, task, out")
    config = resolved(compose([item for item in arguments if item.startswith("detector")]))["detector"]
    detector = build(config)
    cases = read_cases(path)
    tasks = list(dict.fromkeys(one.task for one in cases))
    if "task" in given:
        if given["task"] not in tasks:
            raise UserError(f"task={given['task']}: {path} has no such task; it has: {', '.join(filter(None, tasks))}")
        tasks = [given["task"]]
        cases = [one for one in cases if one.task in tasks]
    out = Path(given.get("out", path.with_name(f"{path.stem}.{detector.name}.jsonl")))
    found = judged([one.case for one in cases], detector, out.with_suffix(".judged.jsonl"))
    write_lines(out, (_row(one, verdict) for one, verdict in zip(cases, found, strict=True)))
    for task in tasks:
        mine = [(one, verdict) for one, verdict in zip(cases, found, strict=True) if one.task == task]
        for line in quality_lines(detector.name, [one for one, _ in mine], [verdict for _, verdict in mine]):
            print(f"{task}: {line}" if task else line)
    print(out)
    return 0


def _row(one: Labelled, verdict: Verdict | None) -> dict[str, Any]:
    row: dict[str, Any] = {"id": one.case.sample.id, "verdict": None if verdict is None else verdict["unfaithful"]}
    rest: Mapping[str, Any] = verdict or {}
    row |= {key: value for key, value in rest.items() if key in ("score", "unsupported", "said", "reason")}
    return row | ({} if one.hallucinated is None else {"hallucinated": one.hallucinated})


def quality_lines(name: str, cases: Sequence[Labelled], found: Sequence[Verdict | None]) -> list[str]:
    """The detector beside the length of the response, which it has to beat; no lines without labels."""
    labels = [one.hallucinated for one in cases if one.hallucinated is not None]
    if not labels:
        return []
    figures = qualities(name, cases, found)
    if not figures:
        return [
            f"{len(labels)} labelled answers, {sum(labels)} hallucinated: fewer than {LEAST} of a kind show nothing"
        ]
    sources = len({one.source for one in cases if one.hallucinated is not None})
    lines = [f"{len(labels)} labelled answers of {sources} sources, {sum(labels)} hallucinated"]
    lines += [_line(what, figure) for what, figure in figures.items()]
    return lines if sources > 1 else [*lines, "all of one source: no threshold can be chosen on others"]


def qualities(name: str, cases: Sequence[Labelled], found: Sequence[Verdict | None]) -> dict[str, Detection]:
    """The detector with its own threshold, and it and the response's length with thresholds chosen on other sources.

    Empty with fewer than ``LEAST`` labelled answers of either kind; the latter two are left out for a single source.
    """
    kept = [(one, verdict) for one, verdict in zip(cases, found, strict=True) if one.hallucinated is not None]
    labels = [bool(one.hallucinated) for one, _ in kept]
    if min(sum(labels), len(labels) - sum(labels)) < LEAST:
        return {}
    sources = [one.source for one, _ in kept]
    # No verdict (an answer that abstains asserts nothing) is the mildest one: it stays in the denominator.
    scores = [float(verdict["score"]) if verdict is not None else -np.inf for _, verdict in kept]
    flags = [bool(verdict and verdict["unfaithful"]) for _, verdict in kept]
    lengths = [float(len(one.case.prediction.text)) for one, _ in kept]
    figures = {f"{name}, as set": detection(scores, flags, labels, sources)}
    for what, values in ((name, scores), ("length", lengths)) if len(set(sources)) > 1 else ():
        chosen, _ = cross_validated(values, labels, sources)
        figures[f"{what}, cross-validated"] = detection(values, chosen, labels, sources)
    return figures


def _line(what: str, found: Detection) -> str:
    parts = [
        f"{label} {one.estimate:.3f}" + (f" ({one.low:.3f}-{one.high:.3f})" if one.low is not None else "")
        for label, one in (
            ("precision", found.precision),
            ("recall", found.recall),
            ("F1", found.f1),
            ("AUROC", found.auroc),
        )
    ]
    return f"{what + ':':28} {', '.join(parts)}"
