"""Retrieval as systems do it beside the bare engine's query, over one index of 50,000 chunks, vectors known beforehand.

Both fuse the same lists by the same constant, to the same depth, and read payloads. The text's BM25 terms are the
engine's own work (its ``Bm25``), so both ask it for them. Recall is that of the chunk whose text is asked for. Which
other chunks are found differs where scores are equal: the engine leaves their order to chance, and the system does not.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from typing import Any

from bench.build import build_index
from systems.base import Filters
from systems.knowledge.edge_index import EdgeIndex
from systems.knowledge.embedding import KnownQueries
from systems.knowledge.points import DENSE, SPARSE, indexed_text
from systems.knowledge.retrieval import IndexRetriever
from tests.benchmarks.index_build import CHUNKS, embedded
from tests.benchmarks.record import Figure, show

QUERIES = 300
REPEATS = 5
TOP_K, CANDIDATES, RRF_K = 10, 50, 60


def main() -> None:
    import qdrant_edge as edge

    with tempfile.TemporaryDirectory() as place:
        assembly, chunks, cached = embedded(place)
        index, record = build_index(assembly)
        assert isinstance(index, EdgeIndex)
        sampled = random.Random(1).sample(chunks, QUERIES)
        texts = [indexed_text(chunk) for chunk in sampled]
        known = KnownQueries.of(cached, texts)
        retriever = IndexRetriever(
            index=index, embedder=known, top_k=TOP_K, candidates=CANDIDATES, rrf_k=RRF_K, mode="fused"
        )
        index.count()  # opened
        shard: Any = index._reading()
        vectors = {text: [float(x) for x in known.vectors[text]] for text in texts}

        def bare(text: str) -> set[str]:
            terms = index.sparse.query(text)
            queries = (
                edge.Query.Nearest(vectors[text], using=DENSE),
                edge.Query.Nearest(edge.SparseVector(terms.indices, terms.values), using=SPARSE),
            )
            request = edge.QueryRequest(
                limit=TOP_K,
                query=edge.Fusion.Rrf(k=RRF_K + 1),
                prefetches=[edge.Prefetch(limit=CANDIDATES, query=query) for query in queries],
                with_payload=True,
            )
            found = shard.query(request)
            return {point.payload["chunk"] for point in found}

        def ours(text: str) -> set[str]:
            return {hit.chunk.id for hit in retriever.retrieve(text, Filters())[0]}

        recall = {
            search: statistics.mean(chunk.id in search(text) for chunk, text in zip(sampled, texts, strict=True))
            for search in (bare, ours)
        }
        alike = statistics.mean(len(bare(text) & ours(text)) / TOP_K for text in texts)
        ratios = []
        for number in range(REPEATS):
            seconds = {"bare": 0.0, "ours": 0.0}
            for at, text in enumerate(texts):  # query by query, and the order turns, so that drift favours neither
                for name in ("bare", "ours") if (number + at) % 2 else ("ours", "bare"):
                    started = time.perf_counter()
                    bare(text) if name == "bare" else ours(text)
                    seconds[name] += time.perf_counter() - started
            ratios.append(seconds["bare"] / seconds["ours"])
        each = seconds["ours"] / QUERIES
        index.close()
    show(
        "retrieval_overhead",
        REPEATS,
        [
            Figure("throughput, ours / bare", statistics.median(ratios), "ratio", ">= 0.95"),
            Figure("smallest ratio", min(ratios), "ratio"),
            Figure("largest ratio", max(ratios), "ratio"),
            Figure("a query", 1000 * each, "ms"),
            Figure("recall@10, bare", recall[bare], "share"),
            Figure("recall@10, ours", recall[ours], "share", f">= {recall[bare] - 0.01:.3f}"),
            Figure("hits in common", alike, "share", ">= 0.95"),
            Figure("chunks", record["chunks"], "count", f">= {CHUNKS}"),
            Figure("queries", QUERIES, "count"),
        ],
    )


if __name__ == "__main__":
    main()
