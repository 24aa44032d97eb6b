"""Both engines on the same small data: search, filters, fusion, sync, sharing, and what a kill leaves."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from systems.base import Chunk, Failure, Filters, Hit, UserError
from systems.knowledge.embedding import SentenceTransformerEmbedder
from systems.knowledge.index import EdgeIndex, Index, ServerIndex, SyncReport
from systems.knowledge.points import point_id
from systems.knowledge.ranking import SPARE, fused, whole_ties
from tests.knowledge.conftest import RecordingEmbedder

FACTS = [
    ("Leave policy", "Employees may carry over five days of leave until 31 March.", {"type": "policy", "version": 2}),
    ("Leave policy", "Employees could carry over ten days of leave.", {"type": "policy", "version": 1}),
    ("Travel policy", "Flights are booked by the travel desk.", {"type": "policy", "version": 1, "date": "2026-01-15"}),
    ("Travel policy", "Train tickets are first class above four hours.", {"date": "2026-01-31T18:00:00"}),
    ("Salaries", "Salaries are paid on the 25th.", {"roles": ["hr", "finance"]}),
    ("Bonus", "Bonuses are paid with the salary of March.", {"roles": ["finance"]}),
    ("Aurora", "The Aurora plan costs 40 euro a month.", {"type": "plan", "version": 3}),
    ("Borealis", "The Borealis plan costs 90 euro a month.", {"type": "plan", "version": 3}),
    ("Office", "The office in Graz opens at eight.", {"date": "2026-02-01"}),
    ("", "Ticket 17: the printer on the second floor is broken again.", {"type": "ticket", "tags": ["a", {"b": None}]}),
]
CHUNKS = [
    Chunk(id=f"d{n}#0", document=f"d{n}", title=title, text=text, metadata=metadata)
    for n, (title, text, metadata) in enumerate(FACTS)
]
QUESTIONS = [
    "How many days of leave can I carry over?",
    "price of the Aurora plan",
    "who books flights",
    "broken printer",
]
ENGINES = ["edge", "server"]


def make_index(engine: str, path: Path, **settings: int) -> Index:
    if engine == "edge":
        return EdgeIndex(path / "edge", **settings)
    return ServerIndex(url=":memory:", collection="test", **settings)


def ids(hits: list[Hit]) -> list[str]:
    return [hit.chunk.document for hit in hits]


def by_document(hits: list[Hit]) -> dict[str, float]:
    return {hit.chunk.document: round(hit.score, 4) for hit in hits}


def many(count: int) -> list[Chunk]:
    return [Chunk(id=f"c{n}", document=f"c{n}", text=f"word{n % 7} common term{n % 50} again") for n in range(count)]


@pytest.fixture(params=ENGINES)
def index(request: pytest.FixtureRequest, tmp_path: Path, recording: RecordingEmbedder) -> Index:
    made = make_index(request.param, tmp_path)
    made.sync(CHUNKS, recording)
    return made


def test_the_engines_agree(tmp_path: Path, minilm: SentenceTransformerEmbedder) -> None:
    edge, server = make_index("edge", tmp_path), make_index("server", tmp_path)
    for one in (edge, server):
        one.sync(CHUNKS, minilm)
    for text, vector in zip(QUESTIONS, minilm.embed_queries(QUESTIONS), strict=True):
        found = {
            mode: [one.search(text, vector, mode, 10) for one in (edge, server)]
            for mode in ("dense", "sparse", "fused")
        }
        assert ids(found["dense"][0]) == ids(found["dense"][1])
        assert len(found["dense"][0]) == 10
        for mode in found:
            assert by_document(found[mode][0]) == pytest.approx(by_document(found[mode][1]), abs=1e-3)
    assert ids(edge.search(QUESTIONS[1], minilm.embed_queries(QUESTIONS[1:2])[0]))[0] == "d6"


def test_dense_scores_are_cosines(index: Index, recording: RecordingEmbedder) -> None:
    vector = recording.embed(["days of leave"])[0]
    rows = recording.embed([f"{chunk.title}\n{chunk.text}" if chunk.title else chunk.text for chunk in CHUNKS])
    expected = {chunk.document: float(row @ vector) for chunk, row in zip(CHUNKS, rows, strict=True)}
    found = {hit.chunk.document: hit.score for hit in index.search("", vector, "dense", 10, exact=True)}
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("rrf_k", [1, 60])
def test_fusion_is_the_paper_s(index: Index, recording: RecordingEmbedder, rrf_k: int) -> None:
    """Cormack et al.: the sum of 1 / (k + rank), ranks from 1, over the same two lists."""
    text = "carry over leave with the Aurora plan"
    vector = recording.embed([text])[0]
    expected: dict[str, float] = {}
    for mode in ("dense", "sparse"):
        for rank, hit in enumerate(index.search(text, vector, mode, 4), 1):  # type: ignore[arg-type]
            expected[hit.chunk.document] = expected.get(hit.chunk.document, 0) + 1 / (rrf_k + rank)
    found = index.search(text, vector, "fused", 3, rrf_k=rrf_k, candidates=4)
    assert len(found) == 3
    best = sorted(expected.values(), reverse=True)[:3]
    assert [hit.score for hit in found] == pytest.approx(best, abs=1e-6)
    assert all(hit.score == pytest.approx(expected[hit.chunk.document], abs=1e-6) for hit in found)


def test_a_chunk_comes_back_as_it_went_in(index: Index) -> None:
    (hit, *_) = index.search("printer broken", None, "sparse", 1)
    assert hit.chunk == CHUNKS[9]
    assert index.search("the", None, "sparse", 5) == [], "stop words find nothing"


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        (Filters(), {*range(10)}),
        (Filters(role="hr"), {0, 1, 2, 3, 4, 6, 7, 8, 9}),
        (Filters(role="finance"), {*range(10)}),
        (Filters(role="intern"), {0, 1, 2, 3, 6, 7, 8, 9}),
        (Filters(role="*"), {0, 1, 2, 3, 6, 7, 8, 9}),
        (Filters(types=("plan", "ticket")), {6, 7, 9}),
        (Filters(versions=(1, 2)), {0, 1, 2}),
        (Filters(date_from="2026-01-16"), {3, 8}),
        (Filters(date_to="2026-01-31"), {2, 3}),
        (Filters(date_to="2026-01-31T12:00:00"), {2}),
        (Filters(date_to="9999-12-31"), {2, 3, 8}),
        (Filters(date_from="2026-01-15", date_to="2026-01-15"), {2}),
        (Filters(role="hr", types=("policy",), versions=(1,)), {1, 2}),
        (Filters(documents=("d3", "d4")), {3, 4}),
        (Filters(without=("d0", "d9")), {*range(1, 9)}),
        (Filters(role="intern", documents=("d3", "d4", "d6"), without=("d6",)), {3}),
    ],
)
def test_filters(index: Index, recording: RecordingEmbedder, filters: Filters, allowed: set[int]) -> None:
    vector = recording.embed(["anything"])[0]
    found = index.search("anything", vector, "dense", 10, filters)
    assert set(ids(found)) == {f"d{n}" for n in allowed}
    fused = index.search("policy plan paid euro ticket office", vector, "fused", 10, filters)
    assert set(ids(fused)) == {f"d{n}" for n in allowed}
    assert set(ids(index.search("policy plan paid euro ticket office", vector, "sparse", 10, filters))) <= set(
        ids(found)
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", ["dense", "sparse", "fused"])
def test_filters_work_inside_the_search(engine: str, mode: str, tmp_path: Path, recording: RecordingEmbedder) -> None:
    """The 300 best matches are closed to the asker, and the answer is still full: nothing was cut afterwards."""
    closed = [Chunk(id=f"x{n}", text="secret secret plan", metadata={"roles": ["board"]}) for n in range(300)]
    opened = [Chunk(id=f"o{n}", text=f"the plan of group {n} and some other words", metadata={}) for n in range(7)]
    index = make_index(engine, tmp_path)
    index.sync(closed + opened, recording)
    vector = recording.embed(["secret plan"])[0]
    free = index.search("secret plan", vector, mode, 5)  # type: ignore[arg-type]
    assert all(hit.chunk.id.startswith("x") for hit in free)
    found = index.search("secret plan", vector, mode, 5, Filters(role="intern"))  # type: ignore[arg-type]
    assert len(found) == 5
    assert all(hit.chunk.id.startswith("o") for hit in found)


@pytest.mark.parametrize("engine", ENGINES)
def test_sync_touches_only_what_changed(engine: str, tmp_path: Path, recording: RecordingEmbedder) -> None:
    index = make_index(engine, tmp_path, batch=3)
    assert counts(index.sync(CHUNKS, recording)) == (10, 0, 0, 0)
    assert len(recording.texts) == 10
    assert counts(index.sync(CHUNKS, recording)) == (0, 0, 0, 10)
    assert len(recording.texts) == 10
    changed = [
        dataclasses.replace(CHUNKS[0], text="Six days."),
        dataclasses.replace(CHUNKS[6], metadata={"roles": ["hr"]}),
    ]
    new = Chunk(id="new", document="new", text="Something new.")
    assert counts(index.sync([*changed, *CHUNKS[1:6], new], recording)) == (1, 2, 3, 5)
    assert recording.texts[10:] == [
        "Leave policy\nSix days.",
        "Aurora\nThe Aurora plan costs 40 euro a month.",
        "Something new.",
    ]
    assert index.count() == 8
    assert ids(index.search("Aurora", None, "sparse", 5, Filters(role="intern"))) == []
    assert ids(index.search("six", None, "sparse", 5)) == ["d0"]
    other = RecordingEmbedder(identity="other")
    assert counts(index.sync([*changed, *CHUNKS[1:6], new], other)) == (0, 8, 0, 0), "other vectors: all anew"


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    assert report.seconds >= 0
    return report.added, report.changed, report.removed, report.unchanged


@pytest.mark.parametrize("engine", ENGINES)
def test_a_synced_index_scores_like_a_fresh_one(engine: str, tmp_path: Path, recording: RecordingEmbedder) -> None:
    """BM25's document frequencies forget what was deleted."""
    (tmp_path / "fresh").mkdir()
    synced, fresh = make_index(engine, tmp_path), make_index(engine, tmp_path / "fresh")
    synced.sync(many(600), recording)
    synced.sync(many(100), recording)
    fresh.sync(many(100), recording)
    found, expected = (one.search("word3 common term40", None, "sparse", 10) for one in (synced, fresh))
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)


def test_ties_come_in_an_order_that_no_naming_decides(index: Index, recording: RecordingEmbedder) -> None:
    chunks = [Chunk(id=f"t{n}", text="identical words") for n in range(9, 0, -1)]
    index.sync(chunks, recording)
    found = [hit.chunk.id for hit in index.search("identical", None, "sparse", 20)]
    assert found == [one.id for one in sorted(chunks, key=point_id)]
    assert found != sorted(found)
    assert found == [hit.chunk.id for hit in index.search("identical", None, "sparse", 20)]


def test_ties_are_cut_in_that_order_too(index: Index, recording: RecordingEmbedder) -> None:
    chunks = [Chunk(id=f"t{n}", text="identical words") for n in range(40)]
    index.sync(chunks, recording)
    expected = [one.id for one in sorted(chunks, key=point_id)][:3]
    words = index.search("identical", None, "sparse", 3, candidates=50)
    meaning = index.search("identical", recording.embed(["identical words"])[0], "dense", 3, candidates=50)
    assert [hit.chunk.id for hit in words] == [hit.chunk.id for hit in meaning] == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_ties_within_a_list_fuse_alike_in_every_build(
    engine: str, tmp_path: Path, recording: RecordingEmbedder
) -> None:
    """What the engine holds first depends on how it was filled; what is found does not."""
    chunks = [Chunk(id=f"t{n}", text=f"{'first' if n % 2 else 'second'} words") for n in range(60)]
    vector = recording.embed(["first words"])[0]
    found = []
    for number, order in enumerate((chunks, chunks[::-1], chunks[30:] + chunks[:30])):
        index = make_index(engine, tmp_path / str(number))
        index.sync(order, recording)
        found.append([(hit.chunk.id, hit.score) for hit in index.search("words", vector, "fused", 10, candidates=20)])
        index.close()
    assert found[0] == found[1] == found[2]


def test_what_shares_the_last_place_is_asked_for_until_it_is_there() -> None:
    """By hand: 3 wanted of 1 and 80 equals; an engine that shuffles equals gives any of them."""
    rng = random.Random(1)
    held = [SimpleNamespace(id=n, score=1.0) for n in range(80)]
    best = SimpleNamespace(id=99, score=2.0)
    asked = []

    def ask(limits: Mapping[str, int]) -> list[list[SimpleNamespace]]:
        asked.append(dict(limits))
        lists = {"ties": [best, *rng.sample(held, len(held))], "none": [best]}
        return [lists[name][:limit] for name, limit in limits.items()]

    tied, short = whole_ties(ask, ["ties", "none"], 3)
    assert tied == [(99, 2.0), (0, 1.0), (1, 1.0)]
    assert short == [(99, 2.0)]
    limit = 3 + SPARE
    assert asked == [{"ties": limit, "none": limit}, {"ties": 4 * limit}, {"ties": 16 * limit}]


def test_scores_that_differ_by_rounding_are_equal() -> None:
    """An engine adds a text's terms in another order where it lies elsewhere: the last bits differ."""
    step = 2e-7
    found = [
        SimpleNamespace(id=n, score=score) for n, score in ((7, 5 + 5 * step), (3, 5.0), (9, 5 - 5 * step), (1, 4.0))
    ]
    (ranked,) = whole_ties(lambda limits: [found], ["words"], 4)
    assert [name for name, _ in ranked] == [3, 7, 9, 1]
    assert len({score for _, score in ranked}) == 2
    near = [SimpleNamespace(id=n, score=score) for n, score in ((7, 0.9001), (3, 0.9), (9, 0.0), (2, -1e-8))]
    (ranked,) = whole_ties(lambda limits: [near], ["meaning"], 4)
    assert [name for name, _ in ranked] == [7, 3, 2, 9]


def test_builds_of_a_corpus_beyond_the_engines_own_batch_find_alike(tmp_path: Path) -> None:
    """From some ten thousand points on the engine's scores of equal texts differ in their last bits."""
    words = ["carry", "over", "leave", "days", "travel", "desk", "flight", "ticket", "salary", "bonus", "plan", "price"]
    draw = random.Random(5)
    texts = [" ".join(draw.choice(words) for _ in range(9)) + f" area{n % 40}" for n in range(3_000)]
    chunks = [Chunk(id=f"c{n}", text=texts[n % 3_000]) for n in range(12_000)]
    found = []
    for number, order in enumerate((chunks, draw.sample(chunks, len(chunks)))):
        index = EdgeIndex(tmp_path / str(number))
        index.sync(order, None)
        found.append([[hit.chunk.id for hit in index.search(text, None, "sparse", 10)] for text in texts[:60]])
        index.close()
    assert found[0] == found[1]


def test_fusion_by_hand() -> None:
    """1/(60 + 1) + 1/(60 + 2) for a and b, and so by id; 1/(60 + 3) for c and d each."""
    a, b, c, d = range(4)
    found = fused([[(b, 9.0), (a, 8.0), (d, 7.0)], [(a, 0.3), (b, 0.2), (c, 0.1)]], rrf_k=60, top_k=3)
    assert [name for name, _ in found] == [a, b, c]
    assert [score for _, score in found] == pytest.approx([1 / 61 + 1 / 62, 1 / 61 + 1 / 62, 1 / 63])


def test_without_embedder_an_index_has_words_alone(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path / "edge")
    index.sync(CHUNKS, None)
    assert ids(index.search("Aurora", None, "sparse", 5)) == ["d6"]
    with pytest.raises(UserError, match="mode=fused: needs an embedder"):
        index.search("Aurora", None)
    with pytest.raises(UserError, match="made with another embedder"):
        index.search("Aurora", np.ones(4), "dense")


def test_a_large_index_gets_a_graph_and_finds_the_same(tmp_path: Path) -> None:
    embedder = RecordingEmbedder(dimensions=64)
    chunks = [Chunk(id=f"c{n}", text=f"a{n} b{n % 97} c{n % 31}") for n in range(1000)]
    index = EdgeIndex(tmp_path / "edge", optimize_above=999)
    index.sync(chunks, embedder)
    assert graph_files(index.path), "HNSW is on disk"
    vector = embedder.embed(["a55 b55 c24"])[0]
    exact = index.search("", vector, "dense", 5, exact=True)
    assert index.search("", vector, "dense", 5)[0].score == pytest.approx(exact[0].score)
    small = EdgeIndex(tmp_path / "small", optimize_above=1000)
    small.sync(chunks, embedder)
    assert not graph_files(small.path)


def graph_files(path: Path) -> list[Path]:
    return [file for file in path.rglob("graph*.bin") if "dense" in file.as_posix()]


def test_two_readers_share_an_index_and_a_second_writer_is_refused(
    tmp_path: Path, recording: RecordingEmbedder
) -> None:
    first = EdgeIndex(tmp_path / "edge")
    first.sync(CHUNKS, recording)
    second = EdgeIndex(tmp_path / "edge")
    assert second.search("Aurora", None, "sparse", 3) == first.search("Aurora", None, "sparse", 3)
    with pytest.raises(Failure, match="another process has it open"):
        second.sync(CHUNKS[:1], recording)
    first.close()
    assert counts(second.sync(CHUNKS[:1], recording)) == (0, 0, 9, 1)
    assert second.count() == 1


def test_threads_share_an_index(index: Index, recording: RecordingEmbedder) -> None:
    from concurrent.futures import ThreadPoolExecutor

    vector = recording.embed(["leave"])[0]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: ids(index.search("leave", vector, "fused", 5)), range(50)))
    assert all(one == found[0] for one in found)


WRITER = """
import sys
from pathlib import Path
from systems.base import Chunk
from systems.knowledge.index import EdgeIndex
from tests.knowledge.conftest import RecordingEmbedder

class Telling(EdgeIndex):
    def upsert(self, chunks, hashes, vectors):
        super().upsert(chunks, hashes, vectors)
        print(" ".join(chunk.id for chunk in chunks), flush=True)

chunks = [Chunk(id=f"c{n}", document=f"c{n}", text=f"word{n % 7} common term{n % 50} again") for n in range(1500)]
Telling(Path(sys.argv[1]), batch=5).sync(chunks, RecordingEmbedder())
"""


def test_a_killed_sync_loses_no_acknowledged_chunk(tmp_path: Path, recording: RecordingEmbedder) -> None:
    path = tmp_path / "edge"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(40)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += writer.stdout.readlines()
    assert writer.wait() == -signal.SIGKILL
    written = set(" ".join(line for line in acknowledged if line.endswith("\n")).split())
    assert 200 <= len(written) < 1500
    index = EdgeIndex(path)
    assert {hit.chunk.id for hit in index.search("common", None, "sparse", 1500)} >= written
    report = index.sync(many(1500), recording)
    assert report.unchanged >= len(written), "a second sync does the rest only"
    assert report.added == 1500 - report.unchanged
    assert index.count() == 1500


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda i: i.search("x", None, "fuzzy"), "retriever.mode=fuzzy: must be one of dense, sparse, fused"),
        (lambda i: i.search("x", None, "sparse", 0), "retriever.top_k=0"),
        (lambda i: i.search("x", None, "sparse", 1, Filters(date_from="May")), "filters.date_from='May'"),
        (lambda i: i.sync([CHUNKS[0], CHUNKS[0]], None), "chunk id 'd0#0' occurs twice"),
        (lambda i: i.sync([Chunk(id="x", text="y", metadata={"roles": "hr,"[:0]})], None), "roles=.* must be a list"),
        (lambda i: i.sync(CHUNKS[:1], RecordingEmbedder(8, "other")), "made with another embedder"),
    ],
)
def test_mistakes_are_one_line(index: Index, act: Callable[[Index], object], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        act(index)
    assert "\n" not in str(caught.value)
    assert index.count() == 10, "and cost nothing"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing is indexed there; build it first"):
        EdgeIndex(tmp_path / "none").search("x", None, "sparse")
    assert not (tmp_path / "none").exists()
    for grpc in (False, True):
        server = ServerIndex(url="http://127.0.0.1:9", collection="test", timeout=2, prefer_grpc=grpc)
        with pytest.raises(Failure, match=r"index http://127\.0\.0\.1:9, collection test: ") as caught:
            server.search("x", None, "sparse")
        assert "\n" not in str(caught.value)
