"""The packaged model against published values, and the cache against its embedder."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from systems.base import Failure, UserError
from systems.knowledge import embedding
from systems.knowledge.embedding import CachedEmbedder, SentenceTransformerEmbedder, embed_queries
from tests.knowledge.conftest import RecordingEmbedder

TEXTS = ["That is a happy person", "a", "", "That is a very happy person, " * 60]


def test_rows_are_float32_and_of_length_one(minilm: SentenceTransformerEmbedder) -> None:
    rows = minilm.embed(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape == (4, 384) == (4, minilm.dimensions)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert minilm.embed([]).shape == (0, 384)


def test_it_is_the_model_it_says(minilm: SentenceTransformerEmbedder) -> None:
    """Against transformers alone: mean over the unmasked tokens, cut at 256, made unit length."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    path = str(embedding.packaged_minilm())
    tokens = AutoTokenizer.from_pretrained(path)(
        TEXTS, padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    assert tokens["input_ids"].shape[1] == 256
    with torch.no_grad():
        states = AutoModel.from_pretrained(path)(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(-1)
    means = (states * mask).sum(1) / mask.sum(1)
    expected = torch.nn.functional.normalize(means).numpy()
    np.testing.assert_allclose(minilm.embed(TEXTS), expected, atol=1e-6)


def test_texts_are_cut_at_max_tokens(minilm: SentenceTransformerEmbedder) -> None:
    texts = ["one two", "one two three four"]
    short = SentenceTransformerEmbedder(max_tokens=4, device="cpu").embed(texts)  # [CLS] one two [SEP]: the rest is cut
    np.testing.assert_allclose(short[0], short[1], atol=1e-6)
    whole = minilm.embed(texts)
    np.testing.assert_allclose(short[0], whole[0], atol=1e-6)
    assert not np.allclose(whole[0], whole[1], atol=1e-2)


def test_bfloat16_is_close_and_of_length_one(minilm: SentenceTransformerEmbedder) -> None:
    rows = SentenceTransformerEmbedder(dtype="bfloat16", device="cpu").embed(TEXTS[:2])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert ((rows * minilm.embed(TEXTS[:2])).sum(axis=1) > 0.999).all()


def test_prefixes_tell_queries_from_documents(minilm: SentenceTransformerEmbedder) -> None:
    prefixed = SentenceTransformerEmbedder(query_prefix="query: ", document_prefix="passage: ", device="cpu")
    expected = minilm.embed(["query: cats", "passage: cats"])
    np.testing.assert_allclose(embed_queries(prefixed, ["cats"])[0], expected[0], atol=1e-6)
    np.testing.assert_allclose(prefixed.embed(["cats"])[0], expected[1], atol=1e-6)


def test_identity_changes_with_every_setting_that_changes_a_vector() -> None:
    make = SentenceTransformerEmbedder
    settings = [make(), make(max_tokens=128), make(dtype="bfloat16"), make(query_prefix="q"), make(document_prefix="q")]
    assert len({one.identity for one in settings}) == 5
    assert make(batch_size=1, device="cpu").identity == make().identity


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "PACKAGED_SHA256", "0" * 64)
    with pytest.raises(Failure, match="is not the pinned"):
        embedding.packaged_minilm()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SentenceTransformerEmbedder(dtype="float16"), "embedder.dtype=float16"),  # type: ignore[arg-type]
        (lambda: SentenceTransformerEmbedder(batch_size=0), "embedder.batch_size=0"),
        (lambda: SentenceTransformerEmbedder(name="./not/there").embed(["x"]), "embedder.name=./not/there"),
    ],
)
def test_mistakes_are_one_line(make: object, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make()  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_the_cache_embeds_each_text_once(tmp_path: Path, recording: RecordingEmbedder) -> None:
    cached = CachedEmbedder(recording, tmp_path / "sub" / "vectors.sqlite", batch=2)
    first = cached.embed(["b", "a a a", "b", "c c"])
    assert recording.texts == ["a a a", "c c", "b"], "each once, longest first"
    np.testing.assert_array_equal(first, RecordingEmbedder().embed(["b", "a a a", "b", "c c"]))
    again = CachedEmbedder(recording, tmp_path / "sub" / "vectors.sqlite")
    np.testing.assert_array_equal(again.embed(["c c", "new", "b"]), RecordingEmbedder().embed(["c c", "new", "b"]))
    assert recording.texts[3:] == ["new"]
    assert again.embed([]).shape == (0, 32)
    assert (cached.identity, cached.dimensions) == ("words", 32)


def test_the_cache_does_not_mix_embedders_and_leaves_queries_out(tmp_path: Path, recording: RecordingEmbedder) -> None:
    CachedEmbedder(recording, tmp_path / "v").embed(["x"])
    other = RecordingEmbedder(identity="other")
    CachedEmbedder(other, tmp_path / "v").embed(["x"])
    assert other.texts == ["x"]
    cached = CachedEmbedder(recording, tmp_path / "v")
    cached.embed_queries(["x"])
    cached.embed_queries(["x"])
    assert recording.texts == ["x"] * 3


def test_processes_share_a_cache(tmp_path: Path, recording: RecordingEmbedder) -> None:
    code = (
        "import sys; from tests.knowledge.conftest import RecordingEmbedder as R\n"
        "from systems.knowledge.embedding import CachedEmbedder as C\n"
        "texts = [f'text {n}' for n in range(300)]\n"
        "assert (C(R(), sys.argv[1], batch=3).embed(texts) == R().embed(texts)).all()"
    )
    path = str(tmp_path / "v")
    processes = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(3)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM vectors").fetchone() == (300,)
    CachedEmbedder(recording, Path(path)).embed([f"text {n}" for n in range(300)])
    assert recording.texts == []


def test_a_broken_cache_is_one_line(tmp_path: Path, recording: RecordingEmbedder) -> None:
    (tmp_path / "v").write_text("not a database, and long enough to be read as a header " * 9)
    with pytest.raises(Failure, match=r"embedding cache .* it may be deleted"):
        CachedEmbedder(recording, tmp_path / "v").embed(["x"])
