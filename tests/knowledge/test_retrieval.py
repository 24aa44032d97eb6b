"""The retriever: which mode finds what, what it times, and what the reranker gets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from systems.base import Filters, Hit, Retriever, UserError
from systems.knowledge.embedding import SentenceTransformerEmbedder
from systems.knowledge.index import EdgeIndex
from systems.knowledge.retrieval import IndexRetriever
from tests.knowledge.conftest import RecordingEmbedder
from tests.knowledge.test_index import CHUNKS, ids


class Reversing:
    """Turns the order round; ``seen`` is how many hits it was given."""

    identity = "reversing"
    seen = 0

    def rerank(self, text: str, hits: Sequence[Hit]) -> list[Hit]:
        self.seen = len(hits)
        return [Hit(chunk=hit.chunk, score=-hit.score) for hit in reversed(hits)]


@pytest.fixture
def index(tmp_path: Path, recording: RecordingEmbedder) -> EdgeIndex:
    made = EdgeIndex(tmp_path / "edge")
    made.sync(CHUNKS, recording)
    return made


@pytest.mark.parametrize(
    ("mode", "stages"), [("dense", ["embed", "search"]), ("sparse", ["search"]), ("fused", ["embed", "search"])]
)
def test_stages_are_timed(index: EdgeIndex, recording: RecordingEmbedder, mode: str, stages: list[str]) -> None:
    retriever: Retriever = IndexRetriever(index=index, embedder=recording, mode=mode, top_k=3)  # type: ignore[arg-type]
    hits, timings = retriever.retrieve("Aurora plan euro month", Filters())
    assert ids(hits)[0] == "d6"
    assert len(hits) == 3 or mode == "sparse"
    assert list(timings) == stages  # and no processor seconds: neither says that it has no helpers
    assert all(seconds > 0 for seconds in timings.values())


def test_the_reranker_orders_all_candidates(index: EdgeIndex, recording: RecordingEmbedder) -> None:
    reranker = Reversing()
    settings = {"index": index, "embedder": recording, "mode": "dense", "candidates": 6}
    plain, _ = IndexRetriever(**settings, top_k=6).retrieve("leave", Filters())  # type: ignore[arg-type]
    hits, timings = IndexRetriever(**settings, top_k=2, reranker=reranker).retrieve("leave", Filters())  # type: ignore[arg-type]
    assert reranker.seen == 6
    assert ids(hits) == ids(plain)[:-3:-1]
    assert list(timings) == ["embed", "search", "rerank"]


def test_filters_reach_the_index(index: EdgeIndex, recording: RecordingEmbedder) -> None:
    retriever = IndexRetriever(index=index, embedder=recording, top_k=10)
    hits, _ = retriever.retrieve("salaries bonus paid", Filters(role="hr"))
    assert "d4" in ids(hits)
    assert "d5" not in ids(hits)


def test_meaning_finds_what_words_miss(tmp_path: Path, minilm: SentenceTransformerEmbedder) -> None:
    index = EdgeIndex(tmp_path / "edge")
    index.sync(CHUNKS, minilm)
    question = "How do I reserve an aeroplane seat?"
    assert ids(index.search(question, None, "sparse", 1)) == []
    hits, _ = IndexRetriever(index=index, embedder=minilm, mode="dense", top_k=1).retrieve(question, Filters())
    assert ids(hits) == ["d2"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "fuzzy"}, "retriever.mode=fuzzy"),
        ({"embedder": None}, "retriever.mode=fused: needs an embedder"),
        ({"top_k": 0}, "retriever.top_k=0"),
        ({"top_k": 5, "candidates": 4}, "retriever.candidates=4: must be at least top_k=5"),
        ({"rrf_k": -1}, "retriever.rrf_k=-1"),
    ],
)
def test_wrong_settings_name_their_key(index: EdgeIndex, settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        IndexRetriever(**{"index": index, "embedder": RecordingEmbedder(), **settings})  # type: ignore[arg-type]


def test_a_part_that_works_in_the_callers_thread_alone_says_what_it_took_of_a_processor(
    index: EdgeIndex, recording: RecordingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecordingEmbedder, "one_thread", True, raising=False)
    _, timings = IndexRetriever(index=index, embedder=recording, top_k=3).retrieve("leave", Filters())
    assert list(timings) == ["embed", "embed_cpu", "search"]
