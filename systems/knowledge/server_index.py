"""The index on a Qdrant server, through its client; BM25 vectors are made here, equal to the edge engine's."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from systems.base import Chunk, Embedder, Failure, Filters, Hit, UserError
from systems.knowledge import points, ranking
from systems.knowledge.points import DENSE, SPARSE, Condition, Mode, Progress, SyncReport, silent
from systems.knowledge.sparse import SparseEncoder

if TYPE_CHECKING:
    import numpy as np

API_KEY = "QDRANT_API_KEY"
"""Environment variable with the server's key, if it wants one."""


class ServerIndex:
    """A collection of a Qdrant server.

    ``url``: "http://host:6333", or ":memory:" or a directory for the client's local mode, which is a
    brute-force stand-in to test with and whose latency means nothing.
    """

    def __init__(
        self,
        url: str,
        collection: str,
        sparse: SparseEncoder | None = None,
        batch: int = 256,
        timeout: int = 60,
        prefer_grpc: bool = True,
    ) -> None:
        """``timeout`` in seconds, per call."""
        self.url = url
        self.collection = collection
        self.sparse = sparse or SparseEncoder()
        self.batch = batch
        self.timeout = timeout
        self.prefer_grpc = prefer_grpc

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
        models = _client_module().models
        allowed = _filter(points.conditions(filters or Filters()))
        params = models.SearchParams(exact=True) if exact else None
        queries: dict[str, Any] = {}
        if mode != "sparse" and vector is not None:
            queries[DENSE] = vector.tolist()
        if mode != "dense":
            terms = self.sparse.query(text)
            queries[SPARSE] = models.SparseVector(indices=terms.indices, values=terms.values)

        def ask(limits: Mapping[str, int]) -> Any:
            asked = [
                models.QueryRequest(query=queries[name], using=name, limit=n, filter=allowed, params=params)
                for name, n in limits.items()
            ]
            return [answer.points for answer in self._client.query_batch_points(self.collection, asked)]

        with self._reported():
            best = ranking.best(ask, queries, mode, top_k, candidates, rrf_k)
            # Payloads of those alone that are kept: the engine looked deeper.
            found = self._client.retrieve(self.collection, [name for name, _ in best], with_payload=True)
        return ranking.hits(best, found)

    def sync(self, chunks: Sequence[Chunk], embedder: Embedder | None, progress: Progress = silent) -> SyncReport:
        """See ``index.Index.sync``. The server builds its own graph."""
        return points.sync_points(self, chunks, embedder, progress)

    def count(self) -> int:
        """Chunks in the index."""
        with self._reported():
            return int(self._client.count(self.collection, exact=True).count)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if "_client" in self.__dict__:
            self._client.close()
            del self._client

    def ensure(self, embedder: Embedder | None) -> None:
        models = _client_module().models
        with self._reported():
            if not self._client.collection_exists(self.collection):
                size = embedder.dimensions if embedder else 0
                dense = {DENSE: models.VectorParams(size=size, distance=models.Distance.COSINE)} if size else {}
                sparse = {SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)}
                self._client.create_collection(self.collection, vectors_config=dense, sparse_vectors_config=sparse)
            with warnings.catch_warnings():  # local mode says that it ignores them
                warnings.simplefilter("ignore", UserWarning)
                for field, kind in points.INDEXED.items():  # again if a killed sync left some out
                    self._client.create_payload_index(self.collection, field, models.PayloadSchemaType(kind))

    def hashes(self) -> dict[int, str]:
        found: dict[int, str] = {}
        offset = None
        with self._reported():
            while True:
                records, offset = self._client.scroll(
                    self.collection, offset=offset, limit=4096, with_payload=["hash"], with_vectors=False
                )
                found.update({record.id: (record.payload or {})["hash"] for record in records})
                if offset is None:
                    return found

    def upsert(self, chunks: Sequence[Chunk], hashes: Sequence[str], vectors: np.ndarray | None) -> None:
        models = _client_module().models
        batch = []
        for row, (chunk, content) in enumerate(zip(chunks, hashes, strict=True)):
            terms = self.sparse.document(points.indexed_text(chunk))
            named: dict[str, Any] = {SPARSE: models.SparseVector(indices=terms.indices, values=terms.values)}
            if vectors is not None:
                named[DENSE] = vectors[row].tolist()
            stored = points.payload(chunk, content)
            batch.append(models.PointStruct(id=points.point_id(chunk), vector=named, payload=stored))
        with self._reported():
            self._client.upsert(self.collection, batch, wait=True)

    def delete(self, ids: Sequence[int]) -> None:
        with self._reported():
            self._client.delete(self.collection, list(ids), wait=True)

    @cached_property
    def _client(self) -> Any:
        QdrantClient = _client_module().QdrantClient
        if self.url == ":memory:":
            return QdrantClient(":memory:")
        if "://" not in self.url:
            return QdrantClient(path=self.url)
        return QdrantClient(
            url=self.url,
            api_key=os.environ.get(API_KEY),
            prefer_grpc=self.prefer_grpc,
            timeout=self.timeout,
            check_compatibility=False,
        )

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """The client raises HTTP, gRPC and plain errors: one line of them, with the place."""
        try:
            yield
        except (UserError, Failure):
            raise
        except Exception as error:
            line = " ".join(str(getattr(error, "details", lambda: None)() or error).split())[:300]
            if "imension" in line or "Not existing vector name" in line:
                raise UserError(f"index {self.url}: made with another embedder ({line}); build a new one") from error
            raise Failure(f"index {self.url}, collection {self.collection}: {line}") from error


def _client_module() -> Any:
    try:
        import qdrant_client
    except ImportError:
        raise UserError("index: needs qdrant-client; install it with: pip install qdrant-client") from None
    return qdrant_client


def _filter(required: Sequence[Condition]) -> Any:
    from qdrant_client import models

    must: list[Any] = []
    never: list[Any] = []
    for one in required:
        if one.values:
            matched = models.FieldCondition(key=one.key, match=models.MatchAny(any=list(one.values)))
            (never if one.refused else must).append(matched)
        else:
            bounds: dict[str, Any] = {"gte": one.date_from, "lt": one.date_before, "lte": one.date_to}
            must.append(models.FieldCondition(key=one.key, range=models.DatetimeRange(**bounds)))
    return models.Filter(must=must, must_not=never) if must or never else None
