"""What an index stores of a chunk and how a filter reads, the same for every engine."""

from __future__ import annotations

import datetime
import itertools
import operator
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from systems.artifacts import content_hash
from systems.base import Chunk, Embedder, Filters, Hit, UserError
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

    def hashes(self) -> dict[str, str]:
        """Point id → content hash of what is stored."""
        ...

    def upsert(self, chunks: Sequence[Chunk], hashes: Sequence[str], vectors: np.ndarray | None) -> None: ...

    def delete(self, ids: Sequence[str]) -> None: ...


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
        double, _ = Counter(chunk.id for chunk in chunks).most_common(1)[0]
        raise UserError(f"chunk id {double!r} occurs twice; ids must be unique in an index")
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


def point_id(chunk: Chunk) -> str:
    """Engines want a UUID: the same chunk id always gives the same one."""
    return str(uuid.uuid5(_IDS, chunk.id))


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
        after = datetime.date.fromisoformat(last) + datetime.timedelta(days=1)
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


def ranked(found: Iterable[Any], top_k: int) -> list[Any]:
    """An engine's scored points, best first.

    Equal scores in the order of the points' ids, which are hashes: a run can be repeated, and no naming is favoured.
    """
    points = sorted(found, key=_score, reverse=True)
    scores = [point.score for point in points]
    if all(map(operator.gt, scores, scores[1:])):
        return points[:top_k]
    best: list[Any] = []
    for _, equal in itertools.groupby(zip(scores, points, strict=True), operator.itemgetter(0)):
        alike = [point for _, point in equal]  # an id costs the engine more than a score, and most scores stand alone
        best += sorted(alike, key=lambda point: str(point.id)) if len(alike) > 1 else alike
        if len(best) >= top_k:
            break
    return best[:top_k]


def whole_ties(ask: Callable[[int], Sequence[Any]], depth: int) -> list[Any]:
    """The first ``depth`` points of one list, as ``ranked``, whatever order the engine keeps equal scores in.

    ``ask(limit)`` gives an engine's first ones, best first. It cuts equal scores at random, so it is asked for more
    until those that share the last place are all there.
    """
    limit = depth + 1
    while True:
        found = ask(limit)
        if len(found) < limit or found[depth - 1].score != found[-1].score:
            return ranked(found, depth)
        limit *= 4


def fused(lists: Iterable[Sequence[Any]], rrf_k: int, top_k: int) -> list[tuple[Any, float]]:
    """Ids and scores by reciprocal rank fusion (Cormack et al., SIGIR 2009), best first, equal scores by id.

    Done here and not by the engine: within a list that has ties its ranks are chance, and so would the scores be, and
    another build of the same corpus would find other chunks.
    """
    scores: dict[str, float] = {}
    ids: dict[str, Any] = {}
    for found in lists:
        for rank, point in enumerate(found, start=1):
            name = str(identity := point.id)
            ids[name] = identity
            scores[name] = scores.get(name, 0.0) + 1 / (rrf_k + rank)
    best = sorted(scores, key=lambda name: (-scores[name], name))[:top_k]
    return [(ids[name], scores[name]) for name in best]


def best(
    ask: Callable[[str, int], Sequence[Any]],
    names: Iterable[str],
    mode: Mode,
    top_k: int,
    candidates: int | None,
    rrf_k: int,
) -> list[tuple[Any, float]]:
    """Ids and scores of what a search finds, best first. ``ask(name, limit)``: the engine's first of a list."""
    depth = max(candidates or 0, top_k) if mode == "fused" else top_k
    lists = [whole_ties(partial(ask, name), depth) for name in names]
    return fused(lists, rrf_k, top_k) if mode == "fused" else [(one.id, one.score) for one in lists[0]]


def hits(best: Iterable[tuple[Any, float]], found: Iterable[Any]) -> list[Hit]:
    """``found``: the stored points of the best, in any order."""
    stored = {point.id: point.payload or {} for point in found}
    return [hit(stored[identity], score) for identity, score in best]


_score = operator.attrgetter("score")
