"""Every YAML of this room is composed and built, and has a comment over every key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

import conf
from systems.base import Document
from systems.knowledge.chunking import ByHeadings, BySentences, ByTokens
from systems.knowledge.embedding import SentenceTransformerEmbedder
from systems.knowledge.index import EdgeIndex
from systems.knowledge.reranking import CrossEncoderReranker
from tests.knowledge.conftest import RecordingEmbedder

CONF = Path(conf.__file__).parent
GROUPS = ["chunking", "embedder", "retriever", "reranker"]


def build(group: str, name: str, *overrides: str) -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        choices = [f"+{group}={name}", *([] if group == "reranker" else ["+reranker=none"]), *overrides]
        return instantiate(compose(overrides=choices)[group], _convert_="all")


@pytest.mark.parametrize(("name", "kind"), [("tokens", ByTokens), ("sentences", BySentences), ("headings", ByHeadings)])
def test_chunking(name: str, kind: type) -> None:
    chunker = build("chunking", name)
    assert isinstance(chunker, kind)
    assert chunker.chunk(Document(id="d", title="T", text="Some text."))[0].text == "Some text."


def test_embedder() -> None:
    assert build("embedder", "minilm") == SentenceTransformerEmbedder()
    assert build("embedder", "bge_large").query_prefix.startswith("Represent this sentence")
    assert (
        build("embedder", "hub", "embedder.name=org/name", "embedder.query_prefix='query: '").query_prefix == "query: "
    )


@pytest.mark.parametrize(("name", "mode"), [("dense", "dense"), ("bm25", "sparse"), ("fused", "fused")])
def test_retriever(name: str, mode: str, tmp_path: Path, recording: RecordingEmbedder) -> None:
    make = build("retriever", name, "retriever.top_k=7")
    retriever = make(index=EdgeIndex(tmp_path), embedder=recording)
    assert (retriever.mode, retriever.top_k, retriever.rrf_k, retriever.reranker) == (mode, 7, 60, None)


def test_degraded_retriever(tmp_path: Path, recording: RecordingEmbedder) -> None:
    make = build("retriever", "degraded", "+seed=3", "retriever.drop=0.5", "retriever.retriever.top_k=7")
    inner = build("retriever", "fused")(index=EdgeIndex(tmp_path), embedder=recording)
    retriever = make(retriever=inner, questions=["Which?"])
    assert (retriever.retriever, retriever.questions) == (inner, ["Which?"])
    assert (retriever.drop, retriever.counterfactual, retriever.irrelevant, retriever.shuffle) == (0.5, 0.0, 0.0, 0)
    assert retriever.seed == 3


def test_reranker() -> None:
    assert build("reranker", "none") is None
    assert build("reranker", "cross_encoder", "reranker.name=org/name") == CrossEncoderReranker("org/name")


def test_two_step_retriever(tmp_path: Path, recording: RecordingEmbedder) -> None:
    make = build("retriever", "two_step", "retriever.breadth=2", "retriever.retriever.top_k=7")
    inner = make.keywords.get("retriever") or build("retriever", "fused")
    retriever = make(retriever=inner(index=EdgeIndex(tmp_path), embedder=recording))
    assert (retriever.breadth, retriever.retriever.mode) == (2, "fused")


def test_all_files_are_tested_here_and_commented() -> None:
    files = sorted(file for group in GROUPS for file in (CONF / group).glob("*.yaml"))
    assert [file.stem for file in files] == (
        [
            "headings",
            "sentences",
            "tokens",
            "bge_large",
            "hub",
            "minilm",
            "cross_encoder",
            "none",
            "bm25",
            "degraded",
            "dense",
            "fused",
            "two_step",
        ]
    )
    for file in files:
        lines = file.read_text().splitlines()
        keys = [number for number, line in enumerate(lines) if line and not line.lstrip().startswith("#")]
        assert all(lines[number - 1].lstrip().startswith("#") for number in keys), file
