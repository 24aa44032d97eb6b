"""``bench counterfactuals``: what systems with retrieval answered wrongly, asked again under other retrieval.

With ``oracle_context`` the same system is shown the relevant chunks and nothing else, within its own number of passages
and its own budget: an answer that is right now was retrieval's to mend, one that is still wrong no retriever can mend.
``closed_book`` shows it no passage at all. Only the retriever is another; the system gets a query as ever. The answers
go to a journal of their own, and no measure, comparison or ranking of the run holds them. Above temperature 0 some
would have become right by being asked again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from bench.assembly import Assembly
from bench.begin import begin
from bench.build import Built, ready
from bench.config import compose
from bench.diagnosis import CLOSED_BOOK, ORACLE_CONTEXT, is_right
from bench.evidence import evidence
from bench.generate import answered, keep_passages, prediction, prepare_all, read_passages, repeated
from bench.journal import Journal
from bench.progress import Progress
from bench.records import Key, Prediction, Sample
from systems.base import Chunk, Filters, System
from systems.knowledge.oracle import OracleRetriever


def ask_again(assembly: Assembly, built: Built) -> int:
    """Ask what the journal does not hold yet, where the config wants it. Returns how many answers came."""
    if assembly.config.counterfactuals == "none":
        return 0
    known = relevant_chunks(assembly)
    retrievers = {
        ORACLE_CONTEXT: OracleRetriever(relevant=by_query(assembly.samples, known)),
        CLOSED_BOOK: OracleRetriever(),
    }
    count = 0
    with Journal(assembly.workspace.counterfactuals, keep=answered) as journal:
        done = {(r["condition"], Key(r["system"], r["task"], r["sample"], r["repeat"])) for r in journal.records}
        for name in filter(assembly.wants_index, assembly.system_nodes):
            wrong = wrong_answers(assembly, name, known)
            for condition, retriever in retrievers.items():
                owed = [key for key in wrong if (condition, key) not in done]
                system = assembly.system(name, index=None, adapter=built.adapters.get(name), retriever=retriever)
                for found in answers(assembly, system, owed, condition.replace("_", " ")):
                    journal.append({"condition": condition, **dataclasses.asdict(found)})
                    count += 1
    return count


def answers(assembly: Assembly, system: System, owed: Sequence[Key], condition: str) -> Iterator[Prediction]:
    """The system's answers, as the engine finishes them. What stood in their prompts is kept with the run."""
    if not owed:
        return
    samples = {(sample.task, sample.id): sample for sample in assembly.samples}
    prepared = prepare_all(system, [samples[key.task, key.sample] for key in owed])
    prepared = [repeated(item, key.repeat) for key, item in zip(owed, prepared, strict=True)]
    keep_passages(assembly.workspace, {system.name: (list(owed), prepared)})
    assembly.engine.start()  # where nobody answers, that is said now, and not journaled as so many failed calls
    assembly.engine.reset_prefix_cache()
    with Progress(f"{system.name}: asking again, {condition}", len(owed)) as progress:
        for index, answer in system.respond(prepared):
            yield prediction(owed[index], answer)
            progress.step()


def wrong_answers(assembly: Assembly, name: str, known: Mapping[str, Sequence[Chunk]]) -> list[Key]:
    """A system's wrong answers where accuracy is asked for and the evidence is known; a failed call is none."""
    tasks = {task.name for task in assembly.suite.tasks if "accuracy" in task.metrics}
    samples = {(sample.task, sample.id): sample for sample in assembly.samples if sample.task in tasks}
    passages = read_passages(assembly.workspace)
    found = []
    for one in assembly.workspace.read_predictions():
        sample = samples.get((one.task, one.sample))
        if one.system == name and one.error is None and sample is not None and evidence(sample, known):
            found += [] if is_right(sample, one, passages) else [one.key]
    return found


def relevant_chunks(assembly: Assembly) -> dict[str, list[Chunk]]:
    """The chunks of all documents that are relevant to any sample, by document, and each by its own id."""
    # Relevance may be told of chunks, whose ids begin with their document's.
    wanted = {
        part for sample in assembly.samples for name in sample.relevant for part in (name, name.rpartition("#")[0])
    }
    found: dict[str, list[Chunk]] = {}
    for document in assembly.suite.corpus:
        if document.id in wanted:
            chunks = assembly.chunker.chunk(document)
            found |= {document.id: chunks, **{chunk.id: [chunk] for chunk in chunks}}
    return found


def by_query(samples: Sequence[Sample], known: Mapping[str, Sequence[Chunk]]) -> dict[tuple[str, Filters], list[Chunk]]:
    """The evidence by what a retriever is given. Samples that ask the same are answered alike: by all of theirs."""
    found: dict[tuple[str, Filters], list[Chunk]] = {}
    for sample in samples:
        mine = found.setdefault((sample.query.search_text(), sample.query.search_filters()), [])
        mine += [chunk for chunk in evidence(sample, known) if chunk not in mine]
    return found


def main(arguments: list[str]) -> int:
    """Ask again for a config whose answers are there."""
    assembly = Assembly(compose(arguments))
    with begin(assembly) as lease, ready(assembly, lease) as built:
        ask_again(assembly, built)
    print(assembly.workspace.path)
    return 0
