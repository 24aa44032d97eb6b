"""BM25 on SciFact against published figures: all documents, all queries, trec_eval's own nDCG.

Wants the environment variable KNOWHOW_DATA: a folder with ``scifact`` in the BEIR layout.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from systems.base import Chunk, Filters
from systems.knowledge.index import EdgeIndex
from systems.knowledge.reading import read_corpus
from systems.knowledge.retrieval import IndexRetriever

DATA = os.environ.get("KNOWHOW_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="KNOWHOW_DATA is not set: no folder with scifact")


def test_bm25_reaches_the_published_ndcg(tmp_path: Path) -> None:
    """BEIR's BM25 has .665, others .679; stemming, k1 and b alone move it from .663 to .687."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    folder = Path(str(DATA)) / "scifact"
    documents = read_corpus(folder / "corpus.jsonl")
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    judgements: dict[str, dict[str, int]] = {}
    with (folder / "qrels_test.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            judgements.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    assert (len(documents), len(queries), sum(map(len, judgements.values()))) == (5183, 300, 339)

    index = EdgeIndex(tmp_path / "edge")
    index.sync([Chunk(id=d.id, document=d.id, title=d.title, text=d.text) for d in documents], None)
    retriever = IndexRetriever(index=index, mode="sparse", top_k=100, candidates=100)
    run = {}
    for query in queries:
        hits, _ = retriever.retrieve(query["text"], Filters())
        run[query["_id"]] = {hit.chunk.document: hit.score for hit in hits}
    scores = pytrec_eval.RelevanceEvaluator(judgements, {"ndcg_cut.10"}).evaluate(run)
    mean = sum(score["ndcg_cut_10"] for score in scores.values()) / len(judgements)
    assert 0.655 <= mean <= 0.690
    assert mean == pytest.approx(0.683, abs=0.001), "Qdrant's tokenizer and stemmer, k1=1.2, b=0.75"
