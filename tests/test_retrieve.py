"""``bench retrieve``: retrievers over labelled evidence; the levels of the company inside their bands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.retrieve import MEASURES
from bench.world.bands import BANDS
from bench.world.documents import LEVELS
from tests.calling import FILES, Outcome, call

OTHERS = (
    "multihop", "unanswerable", "out_of_scope", "consistency", "review", "routing", "extraction", "extraction_nested",
    "extraction_list", "summaries", "replies", "replies_in_thread", "adjacent",
)  # fmt: skip
FACTS = ["suite=company_deep", *(f"~suite.tasks.{name}" for name in OTHERS)]


def retrieve(*arguments: str) -> Outcome:
    return call("retrieve", *arguments)


def measured(*arguments: str) -> dict[str, Any]:
    done = retrieve("--json", *arguments)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert isinstance(found, dict)
    return found


def test_what_is_measured_of_each_retriever_and_task(place: Path) -> None:
    found = measured("retrievers=bm25", "suite=company_deep", "suite.entities=24", "suite.count=10")
    # Five tasks say which pages are relevant.
    assert (found["questions"], list(found["retrievers"])) == (50, ["bm25"])
    of_bm25 = found["retrievers"]["bm25"]
    assert list(of_bm25["tasks"]) == ["facts", "multihop", "consistency", "review", "routing"]
    for measures in (of_bm25["measures"], *of_bm25["tasks"].values()):
        assert set(measures) >= set(MEASURES)
    assert {measures["success_at_5"]["n"] for measures in of_bm25["tasks"].values()} == {10}
    assert of_bm25["measures"]["success_at_5"]["n"] == 50


def test_the_table_has_a_line_for_every_retriever(place: Path) -> None:
    files = ["suite=files", f"corpus={FILES / 'documents'}", f"samples={FILES / 'samples.jsonl'}"]
    done = retrieve("retrievers=bm25", *files)
    head, _, *lines = done.out.splitlines()
    assert head == "3 questions, 4 documents"
    assert [line.split()[0] for line in lines] == ["questions", "bm25"]
    assert lines[0].split()[1:] == list(MEASURES)
    assert "100 %" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["retrievers=nosuch"], "retriever=nosuch: no such option; there are: bm25, degraded, dense, fused, two_step"),
        (["retriever=bm25"], "retriever=: say retrievers=NAME or several, as retrievers=bm25,dense"),
        (["retrievers=bm25", "--fast"], "--fast: no such flag here; settings are given as key=value"),
    ],
)
def test_wrong_arguments_are_one_line(place: Path, arguments: list[str], said: str) -> None:
    assert retrieve(*arguments).one_line(2) == f"bench retrieve: {said}"


def test_without_documents_or_labels_there_is_nothing_to_find(place: Path) -> None:
    no_documents = retrieve("retrievers=bm25", "suite=files", f"samples={FILES / 'samples.jsonl'}").one_line(2)
    assert "there is no corpus to retrieve from" in no_documents
    Path("samples.jsonl").write_text('{"id": 1, "query": "Who founded it?", "reference": "Ada"}\n')
    corpus = f"corpus={FILES / 'documents'}"
    unlabelled = retrieve("retrievers=bm25", "suite=files", corpus, "samples=samples.jsonl").one_line(2)
    assert unlabelled == (
        "bench retrieve: suite: no sample says which documents are relevant, so there is nothing to find"
    )


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_bm25_is_inside_the_band_of_the_level(level: int, place: Path) -> None:
    found = measured("retrievers=bm25", *FACTS, "suite.entities=48", "suite.count=200", f"suite.level={level}")
    assert found["retrievers"]["bm25"]["tasks"]["facts"]["success_at_5"]["estimate"] in BANDS[level]


def test_embeddings_are_inside_the_band_of_a_small_company(place: Path) -> None:
    found = measured("retrievers=dense", *FACTS, "suite.entities=12", "suite.count=40", "suite.level=2")
    assert found["retrievers"]["dense"]["tasks"]["facts"]["success_at_5"]["estimate"] in BANDS[2]
