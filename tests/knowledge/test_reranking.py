"""A cross-encoder trained for a few steps on a made-up set: it runs, it is saved, it comes back the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from systems.base import Chunk, Hit, UserError
from systems.knowledge.reranker_training import RerankerPair, train_reranker
from systems.knowledge.reranking import CrossEncoderReranker

COLOURS = ["red", "blue", "green", "grey"]
PAIRS = [
    RerankerPair(query=f"what is {a}?", passage=f"Colour\nthe {b} thing", label=float(a == b))
    for a in COLOURS
    for b in COLOURS
]
HITS = [Hit(chunk=Chunk(id=b, title="Colour", text=f"the {b} thing"), score=0.0) for b in COLOURS]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("reranker") / "model"
    return train_reranker(PAIRS, out, steps=3, seed=0, batch_size=4, max_tokens=32, device="cpu")


def test_the_model_is_saved_as_safetensors(trained: Path) -> None:
    names = {file.name for file in trained.iterdir()}
    assert "model.safetensors" in names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def test_the_saved_model_scores_as_transformers_say(trained: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    reranker = CrossEncoderReranker(str(trained), max_tokens=32, device="cpu", batch_size=3)
    found = reranker.rerank("what is blue?", HITS)
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert {hit.chunk.id for hit in found} == set(COLOURS)
    tokenizer = AutoTokenizer.from_pretrained(trained)
    model = AutoModelForSequenceClassification.from_pretrained(trained).eval()
    passages = [f"Colour\nthe {hit.chunk.id} thing" for hit in found]
    with torch.no_grad():
        tokens = tokenizer(["what is blue?"] * 4, passages, padding=True, return_tensors="pt")
        expected = torch.sigmoid(model(**tokens).logits[:, 0]).tolist()
    assert [hit.score for hit in found] == pytest.approx(expected, abs=1e-5)
    again = CrossEncoderReranker(str(trained), max_tokens=32, device="cpu")
    assert [hit.score for hit in again.rerank("what is blue?", HITS)] == pytest.approx(
        [h.score for h in found], abs=1e-6
    )
    assert reranker.rerank("what is blue?", []) == []


def test_training_moves_the_weights_and_repeats(trained: Path, tmp_path: Path) -> None:
    from systems.artifacts import file_hash

    again = train_reranker(PAIRS, tmp_path / "again", steps=3, seed=0, batch_size=4, max_tokens=32, device="cpu")
    other = train_reranker(PAIRS, tmp_path / "other", steps=1, seed=0, batch_size=4, max_tokens=32, device="cpu")
    hashes = [file_hash(path / "model.safetensors") for path in (trained, again, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    identities = {CrossEncoderReranker(str(path)).identity for path in (trained, other)}
    assert len(identities) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: train_reranker(PAIRS, Path("x"), steps=0, seed=0), "steps=0 must be 1 or more"),
        (lambda: train_reranker(PAIRS[:1], Path("x"), steps=1, seed=0), "labels above and below 0.5"),
        (lambda: CrossEncoderReranker("./not/there").rerank("x", HITS), "reranker.name=./not/there"),
        (lambda: CrossEncoderReranker("x", max_tokens=0), "reranker.max_tokens=0"),
    ],
)
def test_mistakes_are_one_line(make: object, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make()  # type: ignore[operator]
    assert "\n" not in str(caught.value)
