"""The index in this process: Qdrant Edge, the real engine as a library."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from systems.base import Chunk, Embedder, Failure, Filters, Hit, UserError
from systems.knowledge import points, ranking
from systems.knowledge.points import DENSE, SPARSE, Condition, Mode, Progress, SyncReport, silent
from systems.knowledge.sparse import HINT, SparseEncoder

if TYPE_CHECKING:
    import numpy as np


class EdgeIndex:
    """A collection of dense and BM25 vectors in a directory.

    The engine lets one process open a directory. A second one that only searches reads a private copy
    instead, so runs can share an index; a second one that syncs is refused. Points are on disk when
    ``sync`` returns; a killed sync keeps what it acknowledged.
    """

    def __init__(
        self,
        path: Path | str,
        sparse: SparseEncoder | None = None,
        optimize_above: int = 20_000,
        batch: int = 1024,
    ) -> None:
        """``optimize_above``: with more chunks than this, ``sync`` builds an HNSW graph (slow, then faster search)."""
        self.path = Path(path)
        self.sparse = sparse or SparseEncoder()
        self.optimize_above = optimize_above
        self.batch = batch
        self._large = False
        self._opening = threading.Lock()
        self._shard: Any = None
        self._copy: weakref.finalize | None = None

    def search(
        self,
        text: str,
        vector: np.ndarray | None,
        mode: Mode = "fused",
        top_k: int = 5,
        filters: Filters | None = None,
        exact: bool = False,
        rrf_k: int = 60,
        candidates: int | None = None,
    ) -> list[Hit]:
        """See ``index.Index.search``."""
        points.check_search(mode, top_k, vector, rrf_k)
        edge = _edge()
        allowed = _filter(points.conditions(filters or Filters()))
        params = edge.SearchParams(exact=exact)
        queries: dict[str, Any] = {}
        if mode != "sparse" and vector is not None:
            queries[DENSE] = edge.Query.Nearest(vector.tolist(), using=DENSE)
        if mode != "dense":
            terms = self.sparse.query(text)
            queries[SPARSE] = edge.Query.Nearest(edge.SparseVector(terms.indices, terms.values), using=SPARSE)
        with self._reported():
            shard = self._reading()

            def ask(limits: Mapping[str, int]) -> Any:
                asked = [
                    edge.QueryRequest(limit=n, query=queries[name], filter=allowed, params=params)
                    for name, n in limits.items()
                ]
                return shard.query_batch(edge.QueryBatchRequest(asked))

            best = ranking.best(ask, queries, mode, top_k, candidates, rrf_k)
            # Payloads of those alone that are kept: the engine looked deeper.
            found = shard.retrieve([name for name, _ in best], True, False)
        return ranking.hits(best, found)

    def sync(self, chunks: Sequence[Chunk], embedder: Embedder | None, progress: Progress = silent) -> SyncReport:
        """See ``index.Index.sync``."""
        self.path.mkdir(parents=True, exist_ok=True)
        with self._sync_lock(fcntl.LOCK_EX):
            self.close()  # opened anew for writing, with the optimizer settings of this size
            self._large = len(chunks) > self.optimize_above
            report = points.sync_points(self, chunks, embedder, progress)
            with self._reported():
                # Deleted and replaced points count in BM25's document frequencies until they are cleared away.
                # Returns at once where nothing is to do; called always, since a killed sync may have left some.
                self._shard.optimize()
                self._shard.flush()
        return report

    def count(self) -> int:
        """Chunks in the index."""
        with self._reported():
            return int(self._reading().count(_edge().CountRequest(exact=True)))

    def close(self) -> None:
        """Let another process open the directory."""
        if self._shard is not None:
            self._shard.close()
            self._shard = None
        if self._copy is not None:
            self._copy()
            self._copy = None

    def ensure(self, embedder: Embedder | None) -> None:
        try:
            self._shard = self._load(self.path, self._optimizers()) if self._exists() else self._create(embedder)
        except BlockingIOError:
            raise Failure(f"index {self.path}: another process has it open; let that end, then sync") from None
        self._index_payload()

    def hashes(self) -> dict[int, str]:
        from qdrant_edge import ScrollRequest

        found: dict[int, str] = {}
        offset = None
        with self._reported():
            while True:
                records, offset = self._shard.scroll(ScrollRequest(offset=offset, limit=4096, with_payload=["hash"]))
                found.update({record.id: record.payload["hash"] for record in records})
                if offset is None:
                    return found

    def upsert(self, chunks: Sequence[Chunk], hashes: Sequence[str], vectors: np.ndarray | None) -> None:
        from qdrant_edge import Point, UpdateOperation
        from qdrant_edge import SparseVector as EdgeSparseVector

        batch = []
        for row, (chunk, content) in enumerate(zip(chunks, hashes, strict=True)):
            terms = self.sparse.document(points.indexed_text(chunk))
            named: dict[str, Any] = {SPARSE: EdgeSparseVector(terms.indices, terms.values)}
            if vectors is not None:
                named[DENSE] = vectors[row].tolist()
            batch.append(Point(points.point_id(chunk), named, points.payload(chunk, content)))
        with self._reported():
            self._shard.update(UpdateOperation.upsert_points(batch))

    def delete(self, ids: Sequence[int]) -> None:
        from qdrant_edge import UpdateOperation

        with self._reported():
            self._shard.update(UpdateOperation.delete_points(list(ids)))

    def _exists(self) -> bool:
        return (self.path / "edge_config.json").is_file()

    def _reading(self) -> Any:
        """The shard, opened in place, or as a copy where another process has it open."""
        with self._opening:
            return self._shard or self._open_to_read()

    def _open_to_read(self) -> Any:
        if not self._exists():
            raise UserError(f"index {self.path}: nothing is indexed there; build it first")
        try:
            self._shard = self._load(self.path)
        except BlockingIOError:
            copy = Path(tempfile.mkdtemp(prefix="index-"))
            self._copy = weakref.finalize(self, shutil.rmtree, copy, ignore_errors=True)
            with self._sync_lock(fcntl.LOCK_SH):  # not while it changes
                shutil.copytree(self.path, copy, copy_function=copy_sparse, dirs_exist_ok=True)
            self._shard = self._load(copy)
        return self._shard

    def _load(self, path: Path, optimizers: Any = None) -> Any:
        """Raises BlockingIOError where another process has the directory open."""
        edge = _edge()
        try:
            config = edge.EdgeConfig(sparse_vectors=_sparse_params(), optimizers=optimizers) if optimizers else None
            return edge.EdgeShard.load(str(path), config)
        except Exception as error:
            if "WouldBlock" in str(error):
                raise BlockingIOError(str(error)) from error
            raise Failure(f"index {path}: {_line(error)}; delete it and build it again") from error

    def _create(self, embedder: Embedder | None) -> Any:
        edge = _edge()
        vectors = None
        if embedder is not None:
            vectors = {DENSE: edge.EdgeVectorParams(size=embedder.dimensions, distance=edge.Distance.Cosine)}
        config = edge.EdgeConfig(
            vectors=vectors,
            sparse_vectors=_sparse_params(),
            optimizers=self._optimizers(),
        )
        with self._reported():
            return edge.EdgeShard.create(str(self.path), config)

    def _optimizers(self) -> Any:
        """What ``optimize()`` does: a large collection gets a graph (threshold in KB), a small one never.

        A small one is cleared of every deleted point, so that it scores as if built afresh; a large one of
        1 % deleted points and more, since clearing builds its graph again.
        """
        return _edge().EdgeOptimizersConfig(
            indexing_threshold=1 if self._large else 10**9,
            deleted_threshold=0.01 if self._large else 1e-6,
            vacuum_min_vector_number=1,
        )

    def _index_payload(self) -> None:
        """Indexes on the fields that filters read; again where a killed sync left some out."""
        edge = _edge()
        kinds = edge.PayloadSchemaType
        schema = {"keyword": kinds.Keyword, "datetime": kinds.Datetime, "integer": kinds.Integer}
        with self._reported():
            present = self._shard.info().payload_schema
            for field in [name for name in points.INDEXED if name not in present]:
                self._shard.update(edge.UpdateOperation.create_field_index(field, schema[points.INDEXED[field]]))

    @contextmanager
    def _sync_lock(self, kind: int) -> Iterator[None]:
        """Copies wait for a running sync and the other way round; beside the directory, which may be read-only."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise Failure(f"index {self.path}: {error.strerror}") from error
        try:
            with suppress(OSError):  # a file system without locks; what the store holds is finished, and never changes
                fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """The engine raises bare Exceptions: one line of them, with the place."""
        try:
            yield
        except (UserError, Failure):
            raise
        except Exception as error:
            line = _line(error)
            if "dimension error" in line or "Not existing vector name" in line:
                raise UserError(f"index {self.path}: made with another embedder ({line}); build a new one") from error
            raise Failure(f"index {self.path}: {line}") from error


def _filter(required: Sequence[Condition]) -> Any:
    if not required:
        return None
    from qdrant_edge import FieldCondition, Filter, MatchAny, RangeDateTime

    must: list[Any] = []
    never: list[Any] = []
    for one in required:
        if one.values:
            (never if one.refused else must).append(FieldCondition(one.key, match=MatchAny(list(one.values))))
        else:
            within = RangeDateTime(gte=one.date_from, lt=one.date_before, lte=one.date_to)
            must.append(FieldCondition(one.key, range=within))
    return Filter(must=must, must_not=never)


def _sparse_params() -> dict[str, Any]:
    edge = _edge()
    return {SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)}


def _edge() -> Any:
    try:
        import qdrant_edge
    except ImportError:
        raise UserError(f"index: needs qdrant-edge-py; {HINT}") from None
    return qdrant_edge


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def copy_sparse(source: str, target: str) -> None:
    """Copy without the holes: the engine allocates far more than a small index fills."""
    with open(source, "rb") as reader, open(target, "wb") as writer:
        while block := reader.read(1 << 16):
            if block.count(0) == len(block):
                writer.seek(len(block), os.SEEK_CUR)
            else:
                writer.write(block)
        writer.truncate()
