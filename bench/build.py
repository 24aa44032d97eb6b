"""``bench build``: chunk, embed and index the corpus; train the adapters. Each product is named by its inputs."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.assembly import Assembly
from bench.config import build, compose
from bench.made import note, noted
from bench.observing import Note, tell
from bench.progress import Told, counted, say
from systems.artifacts import content_hash, unfinished
from systems.base import Chunk, UserError
from systems.knowledge.points import LAYOUT, indexed_text
from systems.lease import Lease
from systems.retrieving import within_budget
from systems.tuning.examples import TokenExample, TrainingExample, token_examples

if TYPE_CHECKING:
    from systems.knowledge.hosting import IndexHost
    from systems.knowledge.index import Index


MOST_LEFT_OUT = 0.1
"""Share of the training examples that may be longer than a row of training."""


@dataclass(frozen=True)
class Built:
    """What the build left for the stages after it."""

    index: Index | None
    adapters: Mapping[str, str]
    """System → directory of its adapter."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """For the manifest: hashes, counts, seconds."""

    def close(self) -> None:
        """Let go of the index."""
        if self.index is not None:
            self.index.close()


@contextmanager
def ready(assembly: Assembly, lease: Lease | None = None) -> Iterator[Built]:
    """Everything built, for as long as it is needed; engine and index are closed afterwards. The tracker follows.

    ``lease``: by which the run is held. Building takes long, and raises Failure at its end where another took the run
    over meanwhile: the journals that are opened next are that one's.
    """
    with assembly.tracker.live(assembly.workspace):
        built = build_all(assembly)
        try:
            if lease is not None:
                lease.confirm()
            if hasattr(assembly.engine, "expect"):
                assembly.engine.expect(built.adapters.values())
            yield built
        finally:
            built.close()
            assembly.engine.close()


def build_all(assembly: Assembly) -> Built:
    """Everything the run's systems need and that is not built yet."""
    names = list(assembly.system_nodes)
    _ = assembly.model.tokenizer  # a model that cannot be read is an error before anything is built for it
    index: Index | None = None
    index_record: dict[str, Any] = {}
    if any(assembly.wants_index(name) for name in names):
        index, index_record = build_index(assembly)
    adapters: dict[str, str] = {}
    records: dict[str, Any] = {}
    for name in names:
        if assembly.wants_adapter(name):
            adapters[name], records[name] = build_adapter(assembly, name, index)
    return Built(index, adapters, {"index": index_record, "adapters": records})


def build_index(assembly: Assembly) -> tuple[Index, dict[str, Any]]:
    """The corpus, chunked and indexed."""
    documents = assembly.suite.corpus
    chunks = [chunk for document in documents for chunk in assembly.chunker.chunk(document)]
    nodes = [assembly.system_nodes[name]["retriever"] for name in assembly.system_nodes if assembly.wants_index(name)]
    if any(assembly.wants_adapter(name) for name in assembly.system_nodes):
        nodes.append(assembly.config.retriever)  # finds the passages of training examples
    embedder = next((found for node in nodes if (found := assembly.embedder_of(node)) is not None), None)
    host: IndexHost = build(assembly.config.index)
    inputs = {
        "chunks": content_hash([asdict(chunk) for chunk in chunks]),
        "embedder": embedder.identity if embedder else None,
        "engine": host.engine,
        "layout": LAYOUT,
    }
    key = content_hash(inputs)[:16]
    started, before = time.perf_counter(), embedder.embedded if embedder else 0
    say(f"index {key}: {len(documents)} documents, {len(chunks)} chunks")
    with Told("indexing") as progress:

        def report(done: int, of: int) -> None:
            progress(done, of)
            tell(Note(stage="index", done=done, of=of))

        index, done = host.open(key, chunks, embedder, assembly.store, inputs, report)
    seconds = round(time.perf_counter() - started, 2)
    if done is None:
        made = noted(assembly.store, "index", key)
    else:
        embedded = embedder.embedded - before if embedder else 0
        made = note(
            assembly.store,
            "index",
            key,
            seconds=seconds,
            kept=done.unchanged,
            cached=len({indexed_text(chunk) for chunk in chunks}) - embedded if embedder else 0,
            ran_on=embedder.ran_on if embedder and embedded else "cpu",
        )
    record = {
        "key": key,
        "documents": len(documents),
        "chunks": len(chunks),
        "reused": done is None,
        "seconds": seconds,
        "embedder": inputs["embedder"],
        "engine": host.engine,
        "made": made,  # whenever that was
    }
    return index, record


def build_adapter(assembly: Assembly, name: str, index: Index | None) -> tuple[str, dict[str, Any]]:
    """The adapter of a system; systems with equal prompt and tuning settings share one."""
    from systems.model import Adapter
    from systems.tuning.distributed import train

    node = assembly.system_nodes[name]
    tuning = build(node["adapter"])
    builder = build(node["prompt"])
    examples = training_examples(assembly, builder, tuning.max_tokens, tuning.seed, index)
    inputs = {
        "model": assembly.model.identity,
        "examples": content_hash([asdict(example) for example in examples]),
        "tuning": asdict(tuning),
    }
    key = content_hash(inputs)[:16]
    reused = assembly.store.get("adapter", key) is not None

    def make(directory: Path) -> None:
        say(f"training the adapter of {name}: {len(examples)} examples")
        with Told("training") as progress:

            def report(step: int, steps: int, loss: float | None) -> None:
                if loss is not None:
                    progress(step, steps, f"loss {loss:.3f}")
                    tell(Note(stage="training", system=name, done=step, of=steps, loss=loss))

            train(assembly.model, examples, tuning, directory, report, unfinished(directory))

    path = assembly.store.build("adapter", key, make, inputs)
    import json

    training = json.loads((path / "training.json").read_text())
    made = noted(assembly.store, "adapter", key) if reused else note(assembly.store, "adapter", key)
    record = {"key": key, "weights": Adapter(path=str(path)).name, "reused": reused, **training, "made": made}
    return str(path), record


def training_examples(
    assembly: Assembly, builder: Any, max_tokens: int, seed: int, index: Index | None
) -> list[TokenExample]:
    """Lessons of the training split, closed book and with what the run's own retriever finds for them."""
    examples: list[TrainingExample] = []
    lessons = assembly.suite.lessons()
    shown, budget = int(assembly.config.passages), int(assembly.config.context_budget)
    retriever = None
    if index is not None:
        texts = [lesson.query.search_text() for lesson in lessons if lesson.retrieve]
        retriever = assembly.retriever(assembly.config.retriever, index, shown, queries=texts)
    rng = random.Random(f"lessons-{seed}")
    for lesson in counted("what is trained on", lessons):
        closed = lesson.answer(())
        if closed is not None:
            examples.append(TrainingExample(query=lesson.query, answer=closed, skill=lesson.task))
        if retriever is not None and lesson.retrieve:
            hits, _ = retriever.retrieve(lesson.query.search_text(), lesson.query.search_filters())
            allowed = [hit.chunk for hit in hits if hit.chunk.document not in assembly.suite.unseen]
            passages: Sequence[Chunk] = within_budget(allowed[:shown], budget, assembly.model.count)
            passages = rng.sample(passages, len(passages))  # no place among the passages may give the answer away
            answer = lesson.answer(passages)
            if answer is not None:
                examples.append(
                    TrainingExample(query=lesson.query, answer=answer, passages=tuple(passages), skill=lesson.task)
                )
    rng.shuffle(examples)
    found = list(token_examples(examples, builder, assembly.model, max_tokens))
    if left_out := len(examples) - len(found):
        text = f"{left_out} of {len(examples)} training examples are longer than tuning.max_tokens={max_tokens}"
        if left_out > MOST_LEFT_OUT * len(examples):
            # Those with passages are the long ones: without them the weights would not learn to read.
            raise UserError(f"{text}; raise it, or lower context_budget={budget}")
        say(f"{text}: left out")
    return found


def main(arguments: list[str]) -> int:
    """Build for a config without running anything."""
    assembly = Assembly(compose(arguments))
    built = build_all(assembly)
    built.close()
    index = built.record["index"]
    if index:
        print(f"index {index['key']}: {index['chunks']} chunks {'(was there)' if index['reused'] else ''}".rstrip())
    for name, record in built.record["adapters"].items():
        was = " (was there)" if record["reused"] else f" in {record['seconds']:.0f} s"
        print(f"adapter of {name} {record['key']}: {record['examples']} examples, {record['tokens']:.0f} tokens{was}")
    print(f"builds in {assembly.store.root}")
    return 0
