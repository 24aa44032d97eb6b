"""``bench build``: chunk, embed and index the corpus; train the adapters. Each product is named by its inputs."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.assembly import Assembly
from bench.config import build, compose
from bench.progress import Progress, say
from systems.artifacts import content_hash
from systems.base import Chunk, Failure, Filters
from systems.tuning.examples import TokenExample, TrainingExample, token_examples

if TYPE_CHECKING:
    from systems.knowledge.index import Index


INDEX_BYTES = 256 * 2**20
"""What an empty index declares in memory-mapped files, rounded up; few of the pages are ever filled."""
VECTOR_BYTES = 16_384
"""Of a chunk: a dense vector of 1,024 numbers, its place in the graph, and as much again while segments are merged."""


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
    from systems.knowledge.index import EdgeIndex

    documents = assembly.suite.corpus
    chunks = [chunk for document in documents for chunk in assembly.chunker.chunk(document)]
    nodes = [assembly.system_nodes[name]["retriever"] for name in assembly.system_nodes if assembly.wants_index(name)]
    if any(assembly.wants_adapter(name) for name in assembly.system_nodes):
        nodes.append(assembly.config.retriever)  # finds the passages of training examples
    embedder = next((found for node in nodes if (found := assembly.embedder_of(node)) is not None), None)
    inputs = {
        "chunks": content_hash([asdict(chunk) for chunk in chunks]),
        "embedder": embedder.identity if embedder else None,
        "engine": "qdrant-edge",
    }
    key = content_hash(inputs)[:16]
    started = time.perf_counter()
    reused = assembly.store.get("index", key) is not None

    def make(directory: Path) -> None:
        say(f"building the index: {len(documents)} documents, {len(chunks)} chunks")
        check_room(directory, chunks)
        index = EdgeIndex(directory / "qdrant")
        index.sync(chunks, embedder)
        index.close()

    path = assembly.store.build("index", key, make, inputs)
    record = {
        "key": key,
        "documents": len(documents),
        "chunks": len(chunks),
        "reused": reused,
        "seconds": round(time.perf_counter() - started, 2),
        "embedder": inputs["embedder"],
    }
    return EdgeIndex(path / "qdrant"), record


def check_room(directory: Path, chunks: Sequence[Chunk]) -> None:
    """Refuse to build an index where it may not fit.

    Its files are memory-mapped: on a full disk the kernel would end the process (SIGBUS) without a word.
    """
    needed = INDEX_BYTES + 4 * sum(len(chunk.text) for chunk in chunks) + VECTOR_BYTES * len(chunks)
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise Failure(
            f"{directory.parent}: {free / 2**20:.0f} MiB free, "
            f"but building the index may take {needed / 2**20:.0f} MiB; "
            "free some space and run again, or choose another place with builds_dir=DIR"
        )


def build_adapter(assembly: Assembly, name: str, index: Index | None) -> tuple[str, dict[str, Any]]:
    """The adapter of a system; systems with equal prompt and tuning settings share one."""
    from systems.model import Adapter
    from systems.tuning.training import train_adapter

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
        progress: list[Progress] = []

        def report(step: int, steps: int, loss: float | None) -> None:
            if not progress:
                progress.append(Progress("training", steps))
            if loss is not None:
                progress[0].step(f"loss {loss:.3f}")

        train_adapter(assembly.model, examples, tuning, directory, report)
        if progress:
            progress[0].__exit__(None, None, None)

    path = assembly.store.build("adapter", key, make, inputs)
    import json

    training = json.loads((path / "training.json").read_text())
    record = {"key": key, "weights": Adapter(path=str(path)).name, "reused": reused, **training}
    return str(path), record


def training_examples(
    assembly: Assembly, builder: Any, max_tokens: int, seed: int, index: Index | None
) -> list[TokenExample]:
    """Lessons of the training split, closed book and with what the run's own retriever finds for them."""
    examples: list[TrainingExample] = []
    retriever = None
    if index is not None:
        retriever = assembly.retriever(assembly.config.retriever, index, int(assembly.config.passages))
    rng = random.Random(f"lessons-{seed}")
    for lesson in assembly.suite.lessons():
        closed = lesson.answer(())
        if closed is not None:
            examples.append(TrainingExample(query=lesson.query, answer=closed, skill=lesson.task))
        if retriever is not None and lesson.retrieve:
            hits, _ = retriever.retrieve(lesson.query.search_text(), Filters(role=lesson.query.role))
            passages: Sequence[Chunk] = [hit.chunk for hit in hits[: int(assembly.config.passages)]]
            passages = rng.sample(passages, len(passages))  # no place among the passages may give the answer away
            answer = lesson.answer(passages)
            if answer is not None:
                examples.append(
                    TrainingExample(query=lesson.query, answer=answer, passages=tuple(passages), skill=lesson.task)
                )
    rng.shuffle(examples)
    return list(token_examples(examples, builder, assembly.model, max_tokens))


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
