"""Answers made elsewhere as a run's directory, so that every later stage works on them.

A line of the answers file has ``sample`` (its id) and ``answer``, and optionally ``system``, ``task`` (where
ids of tasks clash), ``repeat``, ``passages`` (texts, or objects with id, text, title, document; passage 1
first) and ``citations`` (passage numbers; read out of the answer where missing).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.config import compose, resolved
from bench.generate import write_passages
from bench.journal import Journal
from bench.json_lines import read_objects
from bench.provenance import provenance
from bench.records import Key, Prediction, Sample
from bench.scoring import metrics_of
from bench.tasks.base import Suite
from bench.tasks.checks import blank, check_fields
from bench.tasks.files import files_suite
from bench.workspace import Workspace, now
from systems.artifacts import content_hash, file_hash
from systems.base import Chunk, UserError
from systems.prompts import citations

FIELDS: dict[str, tuple[type, ...]] = {
    "sample": (str, int),
    "answer": (str, type(None)),
    "system": (str,),
    "task": (str,),
    "repeat": (int,),
    "passages": (list,),
    "citations": (list,),
    "error": (str, type(None)),
}
PASSAGE: dict[str, tuple[type, ...]] = {"text": (str,), "id": (str, int), "title": (str,), "document": (str, int)}
MOST_REPEATS = 2**31
OPTIONS = ("metrics", "detector", "price", "out")


def adopt(samples: Path, answers: Path | None, arguments: Sequence[str]) -> tuple[Workspace, dict[str, Any]]:
    """The directory, and the config of detector and price that were asked for."""
    if answers is None:
        raise UserError(f"give the samples and the answers, as bench score {samples} ANSWERS.jsonl")
    if not answers.is_file():
        raise UserError(f"{answers}: no such file; give a .jsonl file with one answer per line")
    flags = [argument for argument in arguments if argument.startswith("-")]
    if flags:
        raise UserError(f"{flags[0]}: no such flag here; there is --traceback")
    options = [argument for argument in arguments if "=" in argument]
    given = {key: value for key, _, value in (option.partition("=") for option in options)}
    for key in given:
        if key.partition(".")[0] not in OPTIONS:
            raise UserError(f"{key}: no such setting here; there are: {', '.join(OPTIONS)}")
    parts = [option for option in options if option.partition("=")[0] not in ("metrics", "out")]
    config = resolved(compose(["detector=none", "price=none", *parts]))
    config = {name: config[name] for name in ("detector", "price")}
    suite = files_suite(str(samples))
    wanted = [name.strip() for name in given.get("metrics", "").strip("[]").split(",") if name.strip()]
    metrics = {task.name: wanted or list(task.metrics) for task in suite.tasks}
    metrics_of(metrics)
    predictions, passages = read_answers(answers, suite)
    missing = unanswered(suite, predictions)
    made_by = {"samples": file_hash(samples), "answers": file_hash(answers)}
    name = f"{answers.stem}-{content_hash([made_by, metrics, config])[:8]}"
    workspace = Workspace(Path(given.get("out") or Path("results/scored") / name))
    found = workspace.read_manifest()
    if found and found.get("made_by") != made_by:
        raise UserError(f"{workspace.path}: holds other answers; choose another place with out=DIR")
    if workspace.path.exists() and not found and any(workspace.path.iterdir()):
        raise UserError(f"{workspace.path}: is not empty and no run; choose another place with out=DIR")
    workspace.path.mkdir(parents=True, exist_ok=True)
    workspace.predictions.unlink(missing_ok=True)
    workspace.write_samples(suite.samples())
    write_passages(workspace, passages)
    with Journal(workspace.predictions) as journal:
        for prediction in [*predictions, *missing]:
            journal.append(dataclasses.asdict(prediction))
    systems = list(dict.fromkeys(prediction.system for prediction in predictions))
    findings = []
    if missing:
        findings.append(f"{len(missing)} planned answers are not in {answers.name}; they count as failed calls.")
    if uneven := unevenly_answered(predictions):
        text = f"{uneven} samples were answered fewer times than others by the same system"
        findings.append(f"{text}; every sample weighs the same, and no further answers are supposed.")
    workspace.update_manifest(
        experiment=f"answers of {answers.name}",
        config=config,
        seed=0,
        grid="given",
        parity=None,
        suite=suite.name,
        data=suite.data,
        model={"name": "not known", "identity": made_by["answers"], "revision": None},
        metrics=metrics,
        documents=None,
        planned=len(predictions) + len(missing),
        systems=systems,
        findings=[{"level": "warning", "text": text} for text in findings],
        made_by=made_by,
        engine={"engine": "none: answers were given"},
        started=now(),
        finished=now(),
        **provenance(config),
    )
    return workspace, config


def read_answers(path: Path, suite: Suite) -> tuple[list[Prediction], dict[str, Chunk]]:
    """All answers of a file, and the passages that stood in their prompts."""
    by_id: dict[str, list[Sample]] = {}
    for sample in suite.samples():
        by_id.setdefault(sample.id, []).append(sample)
    predictions: list[Prediction] = []
    lines: dict[Key, int] = {}
    passages: dict[str, Chunk] = {}
    for number, where, data in _lines(path):
        sample = _sample(data, by_id, where)
        shown = [_passage(item, where) for item in data.get("passages", ())]
        for chunk in shown:
            if passages.setdefault(chunk.id, chunk).text != chunk.text:
                raise UserError(f"{where}: passage id {chunk.id!r} stands for another text above; ids must differ")
        # Of a text alone nobody knows which document it is from, so nothing can be said of the retrieval.
        named = all(chunk.document for chunk in shown)
        text = data["answer"]
        error = data.get("error") or ("no answer" if text is None else None)
        cited = data.get("citations")
        if cited is not None and not all(isinstance(one, int) and not isinstance(one, bool) for one in cited):
            raise UserError(f"{where}: citations must be passage numbers")
        prediction = Prediction(
            system=data.get("system", "system"),
            task=sample.task,
            sample=sample.id,
            repeat=data.get("repeat", 0),
            text=text or "",
            citations=citations(text or "") if cited is None else tuple(cited),
            retrieved=tuple(chunk.id for chunk in shown) if named else (),
            retrieved_documents=tuple(chunk.document for chunk in shown) if named else (),
            shown=tuple(chunk.id for chunk in shown),
            error=error,
        )
        if prediction.key in lines:
            raise UserError(
                f"{where}: system {prediction.system!r} answered sample {sample.id!r} on line "
                f"{lines[prediction.key]} already; give repeat a number for each"
            )
        lines[prediction.key] = number
        predictions.append(prediction)
    if not predictions:
        raise UserError(f"{path}: has no answers")
    return predictions, passages


def unanswered(suite: Suite, predictions: Sequence[Prediction]) -> list[Prediction]:
    """A failed prediction for every sample that a system has no answer to: nothing leaves a denominator."""
    found = {(one.system, one.task, one.sample) for one in predictions}
    return [
        Prediction(system=system, task=sample.task, sample=sample.id, error="no answer in the file")
        for system in dict.fromkeys(one.system for one in predictions)
        for sample in suite.samples()
        if (system, sample.task, sample.id) not in found
    ]


def unevenly_answered(predictions: Sequence[Prediction]) -> int:
    """How many samples have fewer answers of a system than others of its samples."""
    times = Counter((one.system, one.task, one.sample) for one in predictions)
    most: dict[str, int] = {}
    for (system, _, _), count in times.items():
        most[system] = max(count, most.get(system, 0))
    return sum(count < most[system] for (system, _, _), count in times.items())


def _lines(path: Path) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    for number, where, data in read_objects(path, '{"sample": "1", "answer": "..."}'):
        for name in ("sample", "answer"):
            if name not in data:
                raise UserError(f"{where}: {name} is missing; every line has sample and answer")
        check_fields(data, FIELDS, where)
        if blank(data.get("system", "system")):
            raise UserError(f"{where}: system is empty")
        if not 0 <= data.get("repeat", 0) < MOST_REPEATS:
            raise UserError(f"{where}: repeat must be 0, 1, 2, ..., not {data['repeat']}")
        yield number, where, data


def _sample(data: Mapping[str, Any], by_id: Mapping[str, Sequence[Sample]], where: str) -> Sample:
    name = str(data["sample"])
    found = [one for one in by_id.get(name, ()) if data.get("task", one.task) == one.task]
    if not found:
        of_task = f" of task {data['task']!r}" if "task" in data else ""
        raise UserError(f"{where}: no sample {name!r}{of_task} among those of split test")
    if len(found) > 1:
        raise UserError(
            f"{where}: sample {name!r} stands in tasks {' and '.join(one.task for one in found)}; give task"
        )
    return found[0]


def _passage(item: Any, where: str) -> Chunk:
    if isinstance(item, str):
        return Chunk(id=content_hash(item)[:16], text=item)
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise UserError(f"{where}: a passage must be a text or an object with text, id, title and document")
    check_fields(item, PASSAGE, f"{where}: passage")
    name = str(item.get("id", content_hash(item["text"])[:16]))
    return Chunk(id=name, text=item["text"], title=item.get("title", ""), document=str(item.get("document", name)))
