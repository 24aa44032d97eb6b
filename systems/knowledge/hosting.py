"""Where an index lives: in a directory of this project's builds, or on a Qdrant server."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from systems.artifacts import Store
from systems.base import Chunk, Embedder, Failure
from systems.knowledge.index import EdgeIndex, Index, ServerIndex

INDEX_BYTES = 256 * 2**20
"""What an empty index declares in memory-mapped files, rounded up; few of the pages are ever filled."""
VECTOR_BYTES = 16_384
"""Of a chunk: a dense vector of 1,024 numbers, its place in the graph, and as much again while segments are merged."""


class IndexHost(Protocol):
    """Makes the index of a corpus, or finds it."""

    @property
    def engine(self) -> str:
        """Names the engine: part of the index's key."""
        ...

    def open(
        self, key: str, chunks: Sequence[Chunk], embedder: Embedder | None, store: Store, inputs: Mapping[str, Any]
    ) -> tuple[Index, bool]:
        """The index of exactly these chunks, and whether it was there already. ``inputs`` are what ``key`` hashes."""
        ...


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Qdrant in this process; the index is a directory of the store."""

    optimize_above: int = 20_000
    """Chunks from which on a graph is built: slow to build, faster to search."""

    @property
    def engine(self) -> str:
        return "qdrant-edge"

    def open(
        self, key: str, chunks: Sequence[Chunk], embedder: Embedder | None, store: Store, inputs: Mapping[str, Any]
    ) -> tuple[Index, bool]:
        found = store.get("index", key) is not None

        def make(directory: Path) -> None:
            check_room(directory, chunks)
            index = self._index(directory)
            index.sync(chunks, embedder)
            index.close()

        return self._index(store.build("index", key, make, inputs)), found

    def _index(self, directory: Path) -> EdgeIndex:
        return EdgeIndex(directory / "qdrant", optimize_above=self.optimize_above)


@dataclass(frozen=True, kw_only=True)
class Served:
    """A Qdrant server; the index is a collection of it, named by the index's key."""

    url: str
    prefix: str = "knowhow"
    """Start of the collection's name."""
    timeout: int = 60
    """Seconds, per call."""
    prefer_grpc: bool = True

    @property
    def engine(self) -> str:
        return "qdrant-server"

    def open(
        self, key: str, chunks: Sequence[Chunk], embedder: Embedder | None, store: Store, inputs: Mapping[str, Any]
    ) -> tuple[Index, bool]:
        index = ServerIndex(self.url, f"{self.prefix}-{key}", timeout=self.timeout, prefer_grpc=self.prefer_grpc)
        # Asked every time, not remembered: a server may have lost what it held, or hold a killed build's half.
        report = index.sync(chunks, embedder)
        return index, report.added + report.changed + report.removed == 0


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
