"""What a build took is noted when it is made, and read by runs that find it there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.made import note, noted
from systems.artifacts import Store
from systems.knowledge.embedding import CachedEmbedder


class Counting:
    """An embedder of two dimensions."""

    identity, dimensions, ran_on = "counting", 2, "gpu"

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.ones((len(texts), 2), dtype=np.float32)


def test_the_first_makers_word_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert noted(store, "index", "key") == {}
    first = note(store, "index", "key", seconds=9.0)
    assert (first["seconds"], first["hardware"]["cores"] >= 1) == (9.0, True)
    assert note(store, "index", "key", seconds=0.1) == noted(store, "index", "key") == first
    assert store.all("index") == []  # a note is no product


def test_texts_that_were_in_the_cache_are_not_counted_as_embedded(tmp_path: Path) -> None:
    cached = CachedEmbedder(Counting(), tmp_path / "vectors.sqlite")
    cached.embed(["a", "b", "a"])
    assert (cached.embedded, cached.ran_on) == (2, "gpu")
    again = CachedEmbedder(Counting(), tmp_path / "vectors.sqlite")
    again.embed(["b", "c"])
    assert again.embedded == 1
    again.embed(["c"])
    assert again.embedded == 1
