"""The index of 50,000 chunks as ``bench build`` makes it, with every embedding in the cache beforehand."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bench.assembly import Assembly
from bench.build import build_index
from bench.config import compose
from bench.world.documents import LEVELS
from systems.base import Chunk, Embedder
from systems.knowledge.embedding import CachedEmbedder
from systems.knowledge.points import indexed_text
from tests.benchmarks.record import Figure, show
from tests.benchmarks.sizing import entities_for

if TYPE_CHECKING:
    import numpy as np

CHUNKS = 50_000


@dataclass(frozen=True)
class WordEmbedder:
    """Fills the cache in seconds: the sum of a text's words, each a random direction.

    Texts with words in common are near to each other, as with a trained model, so that the graph has something to find.
    """

    stands_for: Embedder

    @property
    def identity(self) -> str:
        return self.stands_for.identity

    @property
    def dimensions(self) -> int:
        return self.stands_for.dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (len(texts), dimensions), float32, rows of length 1."""
        import numpy as np

        rows = np.stack([np.sum([direction(word, self.dimensions) for word in text.split()], axis=0) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@cache
def direction(word: str, dimensions: int) -> np.ndarray:
    """A random vector, always the same one for a word."""
    import numpy as np

    return np.random.default_rng(list(word.encode())).normal(size=dimensions)


def company(entities: int, place: str) -> tuple[Assembly, list[Chunk]]:
    """A company of that size at the hardest level, and its chunks."""
    settings = [f"suite.entities={entities}", f"suite.strangers={entities}", f"suite.level={max(LEVELS)}"]
    assembly = Assembly(compose([*settings, "systems=base", "tracker=none", f"builds_dir={place}"]))
    return assembly, [chunk for document in assembly.suite.corpus for chunk in assembly.chunker.chunk(document)]


def embedded(place: str) -> tuple[Assembly, list[Chunk], CachedEmbedder]:
    """A company of at least ``CHUNKS`` chunks, their vectors in the cache that its index will be built from."""
    assembly, chunks = company(entities_for(CHUNKS, lambda pilot: len(company(pilot, place)[1])), place)
    cached = CachedEmbedder(WordEmbedder(assembly.embedder), assembly.embedder.path)
    cached.embed([indexed_text(chunk) for chunk in chunks])
    return assembly, chunks, cached


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        assembly, chunks, cached = embedded(place)
        started, computed = time.perf_counter(), time.process_time()
        index, record = build_index(assembly)
        seconds, processor = time.perf_counter() - started, time.process_time() - computed
        question = random.Random("question").choice(chunks)
        (vector,) = cached.embed([indexed_text(question)])
        (best, *_) = index.search(indexed_text(question), vector)
        assert best.chunk.id == question.id
        index.close()
    show(
        "index_build",
        1,
        [
            Figure("time", seconds, "s", "< 90"),
            Figure("processor time, all threads", processor, "s"),
            Figure("chunks", record["chunks"], "count", f">= {CHUNKS}"),
            Figure("documents", record["documents"], "count"),
            Figure("dimensions", assembly.embedder.dimensions, "count"),
        ],
    )


if __name__ == "__main__":
    main()
