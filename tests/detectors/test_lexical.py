"""Words that stand in no passage; and a file of answers, judged and measured against people's labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.detect_files import read_cases
from bench.detectors.lexical import Lexical
from bench.records import Prediction, Sample
from systems.base import Chunk, Query
from tests.calling import call
from tests.tasks.ragtruth import RESPONSES, SOURCES

ASKED = Sample(id="1", task="t", query=Query(text="How long is the warranty?"), reference="24 months")
SHOWN = (Chunk(id="a", title="Alto kettle", text="The warranties run for 24 months."),)


def said(text: str, **more: object) -> Prediction:
    return Prediction(system="s", task="t", sample="1", text=text, **more)  # type: ignore[arg-type]


def test_what_is_counted() -> None:
    verdict = Lexical(threshold=2).judge(ASKED, said("The warranty of the kettle is 36 months, in Spain. [1]"), SHOWN)
    assert verdict is not None
    assert (verdict["score"], verdict["unsupported"]) == (2, ["36", "spain"])
    assert verdict["unfaithful"] is True
    assert verdict["unfactual"] is None
    milder = Lexical(threshold=3).judge(ASKED, said("36 months, in Spain, Spain"), SHOWN)
    assert milder is not None
    assert milder["unfaithful"] is False


def test_what_asserts_nothing_and_what_cannot_be_compared() -> None:
    for nothing in (said("I don't know."), said("", error="time-out")):
        verdict = Lexical(threshold=2).judge(ASKED, nothing, SHOWN)
        assert verdict is not None
        assert (verdict["asserted"], verdict["unfaithful"], verdict["unfactual"]) == (0, False, None)
    nothing_shown = Lexical(threshold=2).judge(ASKED, said("24 months"), ())
    assert nothing_shown is not None
    assert (nothing_shown["asserted"], nothing_shown["unfaithful"]) == (1, None)


def lines(*rows: dict[str, object]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def row(source: int, made_up: bool) -> dict[str, object]:
    words = " ".join(f"invented{n}" for n in range(4 if made_up else 0))
    return {"question": "q?", "passages": [f"known words {source}"], "response": f"known {words}", "source": source,
            "hallucinated": made_up}  # fmt: skip


def test_a_file_gets_a_verdict_a_line_and_how_good_they_are(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(lines(*(row(source, made_up) for source in range(10) for made_up in (True, False))))
    done = call("detect", str(path), "detector=lexical", "detector.threshold=2")
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in (tmp_path / "answers.lexical.jsonl").read_text().splitlines()]
    assert [one["verdict"] for one in rows] == [True, False] * 10
    assert rows[0]["score"] == 4
    assert "20 labelled answers of 10 sources, 10 hallucinated" in done.out
    assert "F1 1.000" in done.out
    assert "length, cross-validated:" in done.out
    assert done.out.splitlines()[-1].endswith("answers.lexical.jsonl")


WRONG = [
    ({"question": "q", "response": "r"}, "answers.jsonl:1: passages is missing; every line has question, passages"),
    (
        {"question": "q", "passages": [1], "response": "r"},
        "answers.jsonl:1: passages must be a text or a list of texts",
    ),
    ({"question": "q", "passages": "p", "response": "r", "hallucinated": "no"}, "hallucinated must be bool, not str"),
    ({"question": "q", "passages": "p", "answer": "r", "response": "r"}, "answers.jsonl:1: unknown field 'answer'"),
]


@pytest.mark.parametrize(("line", "told"), WRONG)
def test_mistakes_in_the_file_are_one_line(line: dict[str, object], told: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(lines(line))
    assert told in call("detect", str(path), "detector=lexical", "detector.threshold=2").one_line(2)
    assert "no such setting here" in call("detect", str(path), "detector=lexical", "seed=1").one_line(2)
    assert "detector: has to be given" in call("detect", str(path)).one_line(2)
    assert "no such file" in call(
        "detect", str(tmp_path / "none.jsonl"), "detector=lexical", "detector.threshold=2"
    ).one_line(2)


def test_a_handful_of_labels_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(lines(row(1, True), row(2, False)))
    done = call("detect", str(path), "detector=lexical", "detector.threshold=2")
    assert "2 labelled answers, 1 hallucinated: fewer than 5 of a kind show nothing" in done.out
    assert "precision" not in done.out


def test_ragtruth_is_read_as_its_authors_publish_it(tmp_path: Path) -> None:
    (tmp_path / "source_info.jsonl").write_text(lines(*SOURCES))
    path = tmp_path / "response.jsonl"
    path.write_text(lines(*RESPONSES))
    found = read_cases(path)
    assert [(one.case.sample.id, one.source, one.task, one.hallucinated) for one in found] == [
        ("1", "1", "QA", False),
        ("2", "1", "QA", True),
        ("4", "2", "Data2txt", False),
    ]
    assert found[0].case.sample.query.text == "how to cook beets"
    assert found[2].case.sample.query.text == "Write an overview:\n\nOverview:"
    assert [chunk.text for chunk in found[2].case.shown] == ["{'name': 'Cafe', 'open': True}"]
    settings = ("detect", str(path), "detector=lexical", "detector.threshold=1")
    assert "QA: 2 labelled answers, 1 hallucinated: fewer than 5" in (done := call(*settings)).out
    assert "Data2txt: 1 labelled answers, 0 hallucinated: fewer than 5" in done.out
    assert "QA" not in call(*settings, "task=Data2txt").out
    assert len((tmp_path / "response.lexical.jsonl").read_text().splitlines()) == 1
    assert call(*settings, "task=Q").one_line(2).endswith("has no such task; it has: QA, Data2txt")
    path.write_text(lines({**RESPONSES[0], "source_id": "9"}))
    assert "response.jsonl:1: response 1: source_info.jsonl has no source_id 9" in call(*settings).one_line(2)
    path.write_text(lines({"source_id": "1", "response": "x"}))
    assert "response.jsonl:1: 'id' is missing, which RAGTruth's answers and sources have" in call(*settings).one_line(2)
