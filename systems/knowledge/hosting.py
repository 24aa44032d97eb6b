"""Where an index lives: in a directory of this project's builds, or on a Qdrant server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from systems.artifacts import Store, content_hash
from systems.base import Chunk, Embedder, Failure
from systems.knowledge.edge_index import copy_sparse
from systems.knowledge.index import EdgeIndex, Index, ServerIndex
from systems.knowledge.points import Progress, SyncReport, silent

CHUNKS, SYNC = "chunks.txt", "sync.json"
"""Beside a finished index: the beginning of each chunk's content hash, and what making it did."""
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
        self,
        key: str,
        chunks: Sequence[Chunk],
        embedder: Embedder | None,
        store: Store,
        inputs: Mapping[str, Any],
        progress: Progress = silent,
    ) -> tuple[Index, SyncReport | None]:
        """The index of exactly these chunks, and what had to be done; ``None`` where it was there already.

        ``inputs`` are what ``key`` hashes.
        """
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
        self,
        key: str,
        chunks: Sequence[Chunk],
        embedder: Embedder | None,
        store: Store,
        inputs: Mapping[str, Any],
        progress: Progress = silent,
    ) -> tuple[Index, SyncReport | None]:
        found = store.get("index", key) is not None

        def make(directory: Path) -> None:
            check_room(store.path("index", key).parent, chunks)
            names = [content_hash(chunk)[:16] for chunk in chunks]
            before = predecessor(store, inputs, names, self.optimize_above)
            if before is not None:
                shutil.copytree(before / "qdrant", directory / "qdrant", copy_function=copy_sparse)
            index = self._index(directory)
            report = index.sync(chunks, embedder, progress)
            index.close()
            (directory / CHUNKS).write_text("\n".join(names), encoding="utf-8")
            (directory / SYNC).write_text(json.dumps(asdict(report)), encoding="utf-8")

        directory = store.build("index", key, make, inputs)
        report = None if found else SyncReport(**json.loads((directory / SYNC).read_text(encoding="utf-8")))
        return self._index(directory), report

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
        self,
        key: str,
        chunks: Sequence[Chunk],
        embedder: Embedder | None,
        store: Store,
        inputs: Mapping[str, Any],
        progress: Progress = silent,
    ) -> tuple[Index, SyncReport | None]:
        index = ServerIndex(self.url, f"{self.prefix}-{key}", timeout=self.timeout, prefer_grpc=self.prefer_grpc)
        # Asked every time, not remembered: a server may have lost what it held, or hold a killed build's half.
        with store.alone("index", key):
            report = index.sync(chunks, embedder, progress)
        return index, report if report.added + report.changed + report.removed else None


def predecessor(store: Store, inputs: Mapping[str, Any], names: Sequence[str], most_chunks: int) -> Path | None:
    """The finished index that shares most with these chunks, if it shares half of them; it was made the same way.

    Re-indexing a changed corpus then writes what changed and nothing else. Only where a synced index equals one built
    afresh: one of at most ``most_chunks`` is cleared of all that was deleted, and has no graph with a past.
    """
    wanted, best, most = set(names), None, 0.5
    if len(wanted) > most_chunks:
        return None
    same = {name: value for name, value in inputs.items() if name != "chunks"}
    for directory, record in store.all("index"):
        if {name: record["inputs"].get(name) for name in same} != same or not (directory / CHUNKS).is_file():
            continue
        known = set((directory / CHUNKS).read_text(encoding="utf-8").split("\n"))
        shared = len(wanted & known) / max(len(wanted), len(known), 1)
        if shared >= most and len(known) <= most_chunks:
            best, most = directory, shared
    return best


def check_room(directory: Path, chunks: Sequence[Chunk]) -> None:
    """Refuse to build an index where it may not fit.

    Its files are memory-mapped: on a full disk the kernel would end the process (SIGBUS) without a word.
    """
    needed = INDEX_BYTES + 4 * sum(len(chunk.text) for chunk in chunks) + VECTOR_BYTES * len(chunks)
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise Failure(
            f"{directory}: {free / 2**20:.0f} MiB free, "
            f"but building the index may take {needed / 2**20:.0f} MiB; "
            "free some space and run again, or choose another place with builds_dir=DIR"
        )
