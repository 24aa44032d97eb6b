"""An index in a directory and one on a server: the same chunks are found, and what is there is not made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from systems.artifacts import Store
from systems.base import Chunk, Failure
from systems.knowledge import hosting
from systems.knowledge.hosting import Embedded, IndexHost, Served
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
    index, found = host.open("key", CHUNKS, recording, store, {"engine": host.engine})
    assert (found, index.count()) == (False, 2)
    index.close()
    embedded = len(recording.texts)
    index, found = host.open("key", CHUNKS, recording, store, {"engine": host.engine})
    assert (found, index.count(), len(recording.texts)) == (True, 2, embedded)
    assert [hit.chunk.id for hit in index.search("monthly price", None, "sparse", top_k=1)] == ["a"]
    index.close()


def test_what_a_killed_build_left_on_a_server_is_completed(tmp_path: Path, recording: RecordingEmbedder) -> None:
    host, store = Served(url=str(tmp_path / "server")), Store(tmp_path / "builds")
    index, _ = host.open("key", CHUNKS[:1], recording, store, {})
    index.close()
    index, found = host.open("key", CHUNKS, recording, store, {})
    assert (found, index.count()) == (False, 2)
    index.close()


def test_an_index_that_may_not_fit_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "INDEX_BYTES", 2**60)
    with pytest.raises(Failure, match="MiB free, but building the index may take"):
        Embedded().open("key", CHUNKS, None, Store(tmp_path), {})
    assert not list(tmp_path.glob("index/key*"))
