"""What an index stores of a chunk and how a filter reads, the same for every engine."""

from __future__ import annotations

import datetime
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from systems.artifacts import content_hash
from systems.base import Chunk, Embedder, Failure, Filters, Hit, UserError
from systems.knowledge.metadata import checked_metadata
from systems.knowledge.sparse import SparseEncoder

if TYPE_CHECKING:
    import numpy as np

Mode = Literal["dense", "sparse", "fused"]
MODES = ("dense", "sparse", "fused")
DENSE, SPARSE = "dense", "bm25"
EVERYONE = "*"
INDEXED = {"roles": "keyword", "type": "keyword", "date": "datetime", "version": "integer"}
"""Payload fields with an index of their own, and its kind."""
LAYOUT = 2
"""Of what is stored, part of an index's key. Another one with every change of ids, of vectors or of payloads."""
_IDS = uuid.UUID("6f2f3f0e-58a1-5d0c-9a43-0e1b6b1c7a55")


@dataclass(frozen=True, kw_only=True)
class SyncReport:
    """What a sync did, in chunks, and how long it took."""

    added: int
    changed: int
    removed: int
    unchanged: int
    seconds: float


class PointStore(Protocol):
    """What a sync needs of an engine."""

    sparse: SparseEncoder
    batch: int

    def ensure(self, embedder: Embedder | None) -> None:
        """Create the collection if it is not there."""
        ...

    def hashes(self) -> dict[int, str]:
        """Point id → content hash of what is stored."""
        ...

    def upsert(self, chunks: Sequence[Chunk], hashes: Sequence[str], vectors: np.ndarray | None) -> None: ...

    def delete(self, ids: Sequence[int]) -> None: ...


Progress = Callable[[int, int], None]
"""Is told how many chunks are done, of how many."""


def silent(done: int, of: int) -> None:
    """Tells nobody."""


def sync_points(
    store: PointStore, chunks: Sequence[Chunk], embedder: Embedder | None, progress: Progress = silent
) -> SyncReport:
    """Make the store hold exactly these chunks; only what changed is embedded and written.

    It may be killed at any point and run again: what is stored says by its hash what it is.
    """
    begun = time.perf_counter()
    wanted = {point_id(chunk): chunk for chunk in chunks}
    if len(wanted) < len(chunks):
        double, times = Counter(chunk.id for chunk in chunks).most_common(1)[0]
        if times > 1:
            raise UserError(f"chunk id {double!r} occurs twice; ids must be unique in an index")
        raise Failure("two chunk ids have the same hash, once in 2^60 pairs; name one of the documents otherwise")
    made_by = [embedder.identity if embedder else None, store.sparse.identity]
    hashes = {key: content_hash([chunk, made_by]) for key, chunk in wanted.items()}
    store.ensure(embedder)
    stored = store.hashes()
    removed = sorted(set(stored) - set(wanted))
    todo = [key for key in wanted if stored.get(key) != hashes[key]]
    for start in range(0, len(todo), store.batch):
        part = todo[start : start + store.batch]
        vectors = embedder.embed([indexed_text(wanted[key]) for key in part]) if embedder else None
        store.upsert([wanted[key] for key in part], [hashes[key] for key in part], vectors)
        progress(start + len(part), len(todo))
    for start in range(0, len(removed), store.batch):
        store.delete(removed[start : start + store.batch])
    added = sum(key not in stored for key in todo)
    return SyncReport(
        added=added,
        changed=len(todo) - added,
        removed=len(removed),
        unchanged=len(wanted) - len(todo),
        seconds=time.perf_counter() - begun,
    )


def point_id(chunk: Chunk) -> int:
    """Bits of a hash of the chunk's id, 60 of them free. A number: an engine's UUIDs take ten times as long to read."""
    return uuid.uuid5(_IDS, chunk.id).int >> 64


def indexed_text(chunk: Chunk) -> str:
    """What is embedded, matched by BM25, and read by a reranker: the title, if any, and the text."""
    return f"{chunk.title}\n{chunk.text}" if chunk.title else chunk.text


def payload(chunk: Chunk, content: str) -> dict[str, Any]:
    """The chunk itself, its content hash, and the fields that filters read."""
    metadata = checked_metadata(chunk.metadata, f"chunk {chunk.id}")
    return {
        "chunk": chunk.id,
        "document": chunk.document,
        "title": chunk.title,
        "text": chunk.text,
        "metadata": metadata,
        "hash": content,
        "roles": metadata.get("roles") or [EVERYONE],
        **{key: metadata[key] for key in INDEXED if key in metadata and key != "roles"},
    }


def hit(stored: Mapping[str, Any], score: float) -> Hit:
    """Back from a payload."""
    chunk = Chunk(
        id=stored["chunk"],
        text=stored["text"],
        title=stored["title"],
        document=stored["document"],
        metadata=stored["metadata"],
    )
    return Hit(chunk=chunk, score=score)


@dataclass(frozen=True)
class Condition:
    """A field must hold one of ``values`` (none of them, where ``refused``), or a date in the half-open range.

    All conditions must hold.
    """

    key: str
    values: Sequence[Any] = ()
    refused: bool = False
    date_from: str | None = None
    date_before: str | None = None
    date_to: str | None = None


def conditions(filters: Filters) -> list[Condition]:
    """A role sees what names it and what is open to everyone; no role means no filter by role."""
    found = []
    if filters.role is not None:
        found.append(Condition("roles", (EVERYONE, filters.role)))
    if filters.types:
        found.append(Condition("type", filters.types))
    if filters.versions:
        found.append(Condition("version", filters.versions))
    if filters.documents:
        found.append(Condition("document", filters.documents))
    if filters.without:
        found.append(Condition("document", filters.without, refused=True))
    if filters.date_from is not None or filters.date_to is not None:
        found.append(_dates(filters.date_from, filters.date_to))
    return found


def _dates(first: str | None, last: str | None) -> Condition:
    """``last`` as a day takes in all of that day."""
    for name, value in (("date_from", first), ("date_to", last)):
        try:
            datetime.datetime.fromisoformat(value or "2000-01-01")
        except ValueError:
            raise UserError(f"filters.{name}={value!r}: must be an ISO date such as 2026-01-31") from None
    if last is not None and len(last) <= 10:
        day = datetime.date.fromisoformat(last)
        if day == datetime.date.max:  # as people write "no end"; no day comes after it
            return Condition("date", date_from=first, date_to=f"{last}T23:59:59")
        after = day + datetime.timedelta(days=1)
        return Condition("date", date_from=first, date_before=after.isoformat())
    return Condition("date", date_from=first, date_to=last)


def check_search(mode: str, top_k: int, vector: object | None, rrf_k: int) -> None:
    """Refuse what no engine can answer."""
    if mode not in MODES:
        raise UserError(f"retriever.mode={mode}: must be one of {', '.join(MODES)}")
    if top_k < 1:
        raise UserError(f"retriever.top_k={top_k}: must be 1 or more")
    if rrf_k < 0:
        raise UserError(f"retriever.rrf_k={rrf_k}: must be 0 or more")
    if mode != "sparse" and vector is None:
        raise UserError(f"retriever.mode={mode}: needs an embedder; without one only mode=sparse works")
