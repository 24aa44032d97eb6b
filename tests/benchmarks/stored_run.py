"""A run of any size as the stages before scoring leave it: the company's tasks, answers of every kind, verdicts."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench.config import build, compose, resolved
from bench.detect import detect
from bench.detectors.closed_world import ClosedWorld
from bench.generate import write_passages
from bench.journal import Journal
from bench.metrics.base import DECLARED
from bench.metrics.declared import FOLDER, metric
from bench.metrics.references import answer_kind
from bench.records import Prediction, Sample
from bench.tasks.base import Suite
from bench.workspace import Workspace
from bench.world.wording import DONT_KNOW
from systems.base import Chunk

if TYPE_CHECKING:
    from omegaconf import DictConfig

SUITES = ("company", "company_freshness", "company_permissions")
SYSTEMS = {"prompt": False, "rag": True, "finetuned": False, "hybrid": True}
"""System → whether it retrieves."""
WORDY = (
    "Its owner confirmed this last year, and nothing has been changed since. If you need it for a form, please check "
    "the latest version of the page, where the earlier editions are listed too. Feel free to ask for anything else."
)
"""What a talkative model adds."""
FOUND, SHOWN = 10, 4
"""Chunks retrieved for a question, and shown in its prompt."""


def write_run(path: Path, predictions: int, entities: int = 2000) -> Workspace:
    """As many predictions as asked for, or a few more: every task and system has the same number."""
    workspace = Workspace(path)
    tasks = sum(len(_suite(name, entities, 1)[1].tasks) for name in SUITES)
    suites = [_suite(name, entities, -(-predictions // (len(SYSTEMS) * tasks))) for name in SUITES]
    samples = [sample for _, suite in suites for sample in suite.samples()]
    workspace.write_samples(samples)
    config, company = suites[0]
    chunker = build(config.chunking)
    chunks = {chunk.id: chunk for document in company.corpus for chunk in chunker.chunk(document)}
    write_passages(workspace, chunks)
    with Journal(workspace.predictions) as journal:
        for prediction in _predictions(samples, list(chunks.values())):
            journal.append(dataclasses.asdict(prediction))
    detect(workspace, ClosedWorld())
    workspace.update_manifest(config=resolved(config), metrics=_applicable(workspace))
    return workspace


def clusters(samples: Sequence[Sample]) -> int:
    """How many clusters they form; a sample that shares nothing is one of its own."""
    return len({sample.cluster or (sample.task, sample.id) for sample in samples})


def _suite(name: str, entities: int, count: int) -> tuple[DictConfig, Suite]:
    settings = [f"suite={name}", f"suite.entities={entities}", f"suite.count={count}", "tracker=none"]
    config = compose([*settings, *([f"suite.strangers={entities}"] if name == "company" else [])])
    return config, build(config.suite)


def _predictions(samples: Sequence[Sample], chunks: Sequence[Chunk]) -> Iterator[Prediction]:
    rng = random.Random("stored run")
    of: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        of.setdefault(chunk.document, []).append(chunk)
    for system, retrieves in SYSTEMS.items():
        for sample in samples:
            found = _found(sample, chunks, of, rng) if retrieves else []
            failed = rng.random() < 0.01
            text = "" if failed else _answer(sample, samples, rng)
            cites = bool(found and text and sample.tags.get("cite"))
            number = rng.randint(1, SHOWN + 1)  # one that is not there among them
            yield Prediction(
                system=system,
                task=sample.task,
                sample=sample.id,
                text=f"{text} [{number}]" if cites else text,
                citations=(number,) if cites else (),
                retrieved=tuple(chunk.id for chunk in found),
                retrieved_documents=tuple(chunk.document for chunk in found),
                shown=tuple(chunk.id for chunk in found[:SHOWN]),
                timings={stage: rng.random() for stage in ("embed", "search", "prompt")[0 if retrieves else 2 :]},
                tokens_in=rng.randint(60, 700),
                tokens_out=len(text.split()) + 1,
                error="TimeoutError: no complete answer within 60 s" if failed else None,
            )


def _found(sample: Sample, chunks: Sequence[Chunk], of: dict[str, list[Chunk]], rng: random.Random) -> list[Chunk]:
    """Chunks at random, and in most cases what is relevant among the first of them."""
    found = rng.choices(chunks, k=FOUND)
    for document in sample.relevant:
        if document in of and rng.random() < 0.85:
            found[rng.randrange(SHOWN)] = rng.choice(of[document])
    return list({chunk.id: chunk for chunk in found}.values())


def _answer(sample: Sample, samples: Sequence[Sample], rng: random.Random) -> str:
    """Right, wrong, abstaining, verbose, or not in the form that was asked for."""
    kind = answer_kind(sample)
    if kind == "label":
        return rng.choice([sample.reference, sample.reference, rng.choice(sample.tags["labels"]), "the help desk"])
    if kind == "json":
        form = json.dumps(sample.reference, ensure_ascii=False)
        first = next(iter(sample.reference))
        wrong = json.dumps({**sample.reference, first: "Somebody Else"}, ensure_ascii=False)
        return rng.choice([form, form, wrong, f"Here it is:\n```json\n{form}\n```", form[:-2], DONT_KNOW])
    other = rng.choice(samples).reference
    value = sample.reference or "40 euros"
    phrase = sample.tags["phrases"][0]
    wrong = other if isinstance(other, str) else "12 March 2024"
    return rng.choice(
        [
            value,
            f"The {phrase} is {value}.",
            f"According to the page, the {phrase} was set to {value}. {WORDY}",
            f"The {phrase} is {wrong}.",
            f"It is {wrong}, not {value}.",
            DONT_KNOW,
            "I could not find this in the passages. They do not state it.",
        ]
    )


def _applicable(workspace: Workspace) -> dict[str, list[str]]:
    """Per task, the metrics that have a value for some answer that came. No model is asked for any."""
    names = sorted(file.stem for file in FOLDER.glob("*.yaml"))
    tasks: dict[str, list[Sample]] = {}
    for sample in workspace.read_samples():
        tasks.setdefault(sample.task, []).append(sample)
    verdicts = workspace.read_verdicts()
    answers = {(one.system, one.task, one.sample): one for one in workspace.read_predictions()}
    chosen = {}
    for task, samples in tasks.items():
        cases = []
        for sample in islice(samples, 300):
            key = ("rag", task, sample.id)
            said = verdicts.get((*key, 0), {})
            if answers[key].error is None:
                cases.append((sample, answers[key], {**said, DECLARED: said.get("closed_world")}))
        chosen[task] = [name for name in names if any(metric(name).score(*case).value is not None for case in cases)]
    return chosen
