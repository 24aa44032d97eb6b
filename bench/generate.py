"""``bench generate``: the systems answer; every answer goes to the journal as the engine finishes it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.assembly import Assembly
from bench.begin import begin, planned
from bench.build import Built, ready
from bench.config import compose
from bench.journal import Journal
from bench.observing import Note, tell
from bench.progress import Progress, say
from bench.records import Key, Prediction, Sample
from bench.workspace import Workspace, read_lines, write_lines
from systems.base import Answer, Chunk, Prepared, Request, System, UserError, unreached


def answered(record: Mapping[str, Any]) -> bool:
    """Whether a journal's record stands; a call that was lost on its way is made again when the run is."""
    return not unreached(record["error"])


def prepare_all(system: System, samples: Sequence[Sample]) -> list[Prepared]:
    """Retrieve and build all prompts; one that does not fit is an error before anything is generated."""
    prepared = []
    with Progress(f"{system.name}: retrieving and prompting", len(samples)) as progress:
        for sample in samples:
            try:
                prepared.append(system.prepare(sample.query))
            except UserError as error:
                raise UserError(f"task {sample.task}, sample {sample.id}, system {system.name}: {error}") from error
            progress.step()
    return prepared


def generate(assembly: Assembly, built: Built, journal: Journal) -> int:
    """Answer what the journal does not hold yet, and say in the manifest by what. Returns how many it answered."""
    samples = {(sample.task, sample.id): sample for sample in assembly.samples}
    names = list(assembly.system_nodes)
    done = {Key(r["system"], r["task"], r["sample"], r["repeat"]) for r in journal.records}
    owed = [key for key in planned(names, list(samples.values()), int(assembly.config.repeats)) if key not in done]
    lost = 0
    if not owed:
        _note(assembly.workspace, lost)
        return 0
    queries = [sample.query.search_text() for sample in samples.values()]
    systems = {
        name: assembly.system(name, index=built.index, adapter=built.adapters.get(name), queries=queries)
        for name in dict.fromkeys(key.system for key in owed)
    }
    work: dict[str, tuple[list[Key], list[Prepared]]] = {}
    for name, system in systems.items():
        keys = [key for key in owed if key.system == name]
        asked = list(dict.fromkeys((key.task, key.sample) for key in keys))  # once, however often it is repeated
        found = dict(zip(asked, prepare_all(system, [samples[one] for one in asked]), strict=True))
        work[name] = keys, [repeated(found[key.task, key.sample], key.repeat) for key in keys]
    keep_passages(assembly.workspace, work)
    say(f"engine {assembly.engine.name}: loading {assembly.model.name}")
    started = time.perf_counter()
    # Where an engine cannot answer, it says so now, and not once per sample.
    assembly.engine.start()
    for adapter in dict.fromkeys(built.adapters.values()):
        if hasattr(assembly.engine, "serves"):  # weights that were tuned here have to be loaded by a server first
            assembly.engine.serves(adapter)
    record = told_of(assembly.engine)
    if (in_process := getattr(assembly.engine, "in_process", None)) is not None:
        record["in_process"] = in_process  # of the batches alone: a load has an engine of its own
    record["start_seconds"] = round(time.perf_counter() - started, 1)
    # Before the first answer: a run that is killed after its last one must still know what gave it.
    assembly.workspace.update_manifest(build=built.record, engine=record)
    for name, (keys, prepared) in work.items():
        # Cold for each system: none may live on the prefixes that another one left.
        assembly.engine.reset_prefix_cache()
        lost += answer(systems[name], keys, prepared, journal)
    _note(assembly.workspace, lost)
    return len(owed)


def told_of(engine: Any) -> dict[str, Any]:
    """What the manifest says of an engine."""
    return {
        "engine": engine.name,
        "version": getattr(engine, "version", "unknown"),
        "loads": engine.loads,
        "ran_on": getattr(engine, "ran_on", None),
    }


def answer(system: System, keys: Sequence[Key], prepared: Sequence[Prepared], journal: Journal) -> int:
    """One system's answers into the journal as the engine finishes them; ``keys`` say what each is the answer to.

    Returns how many calls were lost on their way.
    """
    lost = 0
    before = [record["error"] for record in journal.records if record["system"] == system.name]
    failures, of = sum(error is not None for error in before), len(before) + len(keys)
    with Progress(f"{system.name}: generating", len(keys)) as progress:
        for index, found in system.respond(prepared):
            journal.append(vars(prediction(keys[index], found)))
            progress.step()
            failures += found.error is not None
            lost += unreached(found.error)
            tell(Note(stage="generate", system=system.name, done=len(before) + progress.done, of=of, failures=failures))
    return lost


def _note(workspace: Workspace, lost: int) -> None:
    """How many calls of a run were lost on their way: saying its command again makes these once more."""
    if lost:
        say(f"{lost} calls did not reach the engine, and count as failed; the same command makes them again")
    if lost != workspace.read_manifest().get("unreached", 0):
        workspace.update_manifest(unreached=lost)


def repeated(prepared: Prepared, repeat: int) -> Prepared:
    """The same calls with a seed of their own for every repeat: sampling may differ, the prompt may not."""

    def anew(request: Request) -> Request:
        return replace(request, sampling=replace(request.sampling, seed=request.sampling.seed + repeat))

    return replace(prepared, request=anew(prepared.request), further=tuple(map(anew, prepared.further)))


def keep_passages(workspace: Workspace, work: dict[str, tuple[list[Key], list[Prepared]]]) -> None:
    """Write down every passage that was found: detectors and readers need it after the index is gone."""
    kept = read_passages(workspace)
    for _, prepared in work.values():
        for item in prepared:
            kept |= {hit.chunk.id: hit.chunk for hit in item.retrieved}
    write_passages(workspace, kept)


def write_passages(workspace: Workspace, passages: Mapping[str, Chunk]) -> None:
    """Replace the passages of a run."""
    write_lines(workspace.path / "passages.jsonl", (dataclasses.asdict(chunk) for chunk in passages.values()))


def read_passages(workspace: Workspace) -> dict[str, Chunk]:
    """Passages by id."""
    path = workspace.path / "passages.jsonl"
    return {row["id"]: Chunk(**row) for row in read_lines(path)} if path.exists() else {}


def prediction(key: Key, answer: Answer) -> Prediction:
    """An answer as it goes to the journal."""
    return Prediction(
        system=key.system,
        task=key.task,
        sample=key.sample,
        repeat=key.repeat,
        text=answer.text,
        reasoning=answer.reasoning,
        citations=answer.citations,
        retrieved=tuple(hit.chunk.id for hit in answer.retrieved),
        retrieved_documents=tuple(hit.chunk.document for hit in answer.retrieved),
        shown=answer.shown,
        timings={stage: round(value, 6) for stage, value in answer.timings.items()},
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        finish_reason=answer.finish_reason,
        outputs=answer.outputs,
        error=answer.error,
    )


def main(arguments: list[str]) -> int:
    """Build what is missing, then generate."""
    assembly = Assembly(compose(arguments))
    with (
        begin(assembly) as lease,
        ready(assembly, lease) as built,
        Journal(assembly.workspace.predictions, keep=answered) as journal,
    ):
        generate(assembly, built, journal)
    print(assembly.workspace.path)
    return 0
