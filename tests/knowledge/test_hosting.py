"""An index in a directory and one on a server: the same chunks are found, and what is there is not made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from systems.artifacts import Store
from systems.base import Chunk, Failure
from systems.knowledge import hosting
from systems.knowledge.hosting import CHUNKS as NAMES_FILE
from systems.knowledge.hosting import Embedded, IndexHost, Served, predecessor
from tests.knowledge.conftest import RecordingEmbedder

CHUNKS = [
    Chunk(id="a", document="a", title="Plan", text="The monthly price is 40 euros."),
    Chunk(id="b", document="b", title="Site", text="The site opens on Monday."),
]


@pytest.mark.parametrize("kind", ["embedded", "server"])
def test_an_index_is_made_once_and_found_again(kind: str, tmp_path: Path, recording: RecordingEmbedder) -> None:
    # The client's local mode stands for the server: the same client code, no network.
    host: IndexHost = Embedded() if kind == "embedded" else Served(url=str(tmp_path / "server"))
    store = Store(tmp_path / "builds")
    index, done = host.open("key", CHUNKS, recording, store, {"engine": host.engine})
    assert done is not None
    assert (done.added, index.count()) == (2, 2)
    index.close()
    embedded = len(recording.texts)
    index, done = host.open("key", CHUNKS, recording, store, {"engine": host.engine})
    assert (done, index.count(), len(recording.texts)) == (None, 2, embedded)
    assert [hit.chunk.id for hit in index.search("monthly price", None, "sparse", top_k=1)] == ["a"]
    index.close()


def test_a_changed_corpus_writes_what_changed_and_finds_as_if_made_afresh(
    tmp_path: Path, recording: RecordingEmbedder
) -> None:
    def chunks(*changed: int) -> list[Chunk]:
        return [
            Chunk(id=f"c{n}", document=f"d{n}", text=f"Word{n} is {'new' if n in changed else 'old'} and word{n % 3}.")
            for n in range(40)
        ]

    inputs = {"engine": "qdrant-edge", "embedder": recording.identity}
    store, alone = Store(tmp_path / "builds"), Store(tmp_path / "alone")
    first, _ = Embedded().open("first", chunks(), recording, store, {**inputs, "chunks": "1"})
    first.close()
    embedded = len(recording.texts)
    second, done = Embedded().open("second", chunks(7), recording, store, {**inputs, "chunks": "2"})
    assert len(recording.texts) == embedded + 1
    assert done is not None
    assert (done.added, done.changed, done.removed, done.unchanged) == (0, 1, 0, 39)
    fresh, _ = Embedded().open("fresh", chunks(7), recording, alone, {**inputs, "chunks": "2"})
    for text in ("word7 new", "word1 old", "word2"):
        one, other = (index.search(text, None, "sparse", top_k=40) for index in (second, fresh))
        assert [(hit.chunk.id, hit.score) for hit in one] == [(hit.chunk.id, hit.score) for hit in other]
    second.close()
    fresh.close()
    # The first is as it was: a run may still be using it.
    first, done = Embedded().open("first", chunks(), recording, store, {**inputs, "chunks": "1"})
    assert done is None
    assert [hit.chunk.text for hit in first.search("new", None, "sparse")] == []
    first.close()


def test_an_index_of_another_embedder_or_corpus_is_no_predecessor(tmp_path: Path) -> None:
    store, names = Store(tmp_path), ["a", "b", "c", "d"]
    store.build("index", "one", lambda d: _chunks(d, "a", "b", "c"), {"embedder": "x", "chunks": "1"})
    store.build("index", "two", lambda d: _chunks(d, "a"), {"embedder": "x", "chunks": "2"})
    assert predecessor(store, {"embedder": "x", "chunks": "9"}, names, 9) == tmp_path / "index" / "one"
    assert predecessor(store, {"embedder": "x", "chunks": "9"}, names, 2) is None
    assert predecessor(store, {"embedder": "y", "chunks": "9"}, names, 9) is None
    assert predecessor(store, {"embedder": "x", "chunks": "9"}, ["p", "q"], 9) is None


def _chunks(directory: Path, *names: str) -> None:
    (directory / NAMES_FILE).write_text("\n".join(names))


def test_what_a_killed_build_left_on_a_server_is_completed(tmp_path: Path, recording: RecordingEmbedder) -> None:
    host, store = Served(url=str(tmp_path / "server")), Store(tmp_path / "builds")
    index, _ = host.open("key", CHUNKS[:1], recording, store, {})
    index.close()
    index, done = host.open("key", CHUNKS, recording, store, {})
    assert done is not None
    assert (done.added, done.unchanged, index.count()) == (1, 1, 2)
    index.close()


def test_an_index_that_may_not_fit_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "INDEX_BYTES", 2**60)
    with pytest.raises(Failure, match="MiB free, but building the index may take"):
        Embedded().open("key", CHUNKS, None, Store(tmp_path), {})
    assert not list(tmp_path.glob("index/key*"))
