"""``bench score SAMPLES ANSWERS``: answers that any system gave, scored like a run's, none left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.calling import Outcome, call

SAMPLES: list[dict[str, Any]] = [
    {"id": "1", "query": "How long is the warranty of the Alto kettle?", "reference": "24 months"},
    {"id": "2", "query": "Who invented it?", "reference": None},
    {"id": "3", "query": "How many cups?", "reference": "8 cups"},
    {"id": "4", "query": "My kettle leaks", "reference": "repairs", "kind": "label", "task": "routing"},
]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return str(path)


def scored(place: Path, answers: list[dict[str, Any]], *further: str) -> Outcome:
    samples = write(place / "samples.jsonl", SAMPLES)
    return call("score", samples, write(place / "answers.jsonl", answers), f"out={place / 'out'}", *further)


def measures(place: Path, system: str) -> dict[str, Any]:
    summary = json.loads((place / "out" / "summary.json").read_text())
    return {name: one["estimate"] for name, one in summary["systems"][system]["tasks"]["files"].items()}


ANSWERS: list[dict[str, Any]] = [
    {"sample": "1", "answer": "24 months [1]", "system": "ours", "passages": ["The warranty is 24 months."]},
    {"sample": "2", "answer": "I don't know.", "system": "ours"},
    {"sample": "4", "answer": "repairs", "system": "ours"},
    {"sample": "1", "answer": "12 months", "system": "theirs"},
    {"sample": "2", "answer": "Ada", "system": "theirs"},
    {"sample": "3", "answer": "8 cups", "system": "theirs"},
    {"sample": "4", "answer": None, "system": "theirs"},
]


def test_answers_are_scored_and_what_is_missing_counts(tmp_path: Path) -> None:
    done = scored(tmp_path, ANSWERS)
    assert done.code == 0, done.err
    assert done.path == tmp_path / "out"
    ours, theirs = measures(tmp_path, "ours"), measures(tmp_path, "theirs")
    assert ours["accuracy"] == pytest.approx(2 / 3)  # the third question has no answer
    assert theirs["accuracy"] == pytest.approx(1 / 3)
    assert ours["abstention_recall"] == 1.0
    assert theirs["abstention_recall"] == 0.0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["planned"], summary["completed"]) == (8, 8)
    assert "1 planned answers are not in answers.jsonl" in summary["run"]["findings"][0]["text"]
    [pair] = [row for row in summary["comparisons"] if (row["measure"], row["task"]) == ("accuracy", "files")]
    assert pair["discordant"] == [2, 1]
    assert "<html" in (tmp_path / "out" / "report.html").read_text()


def test_uneven_repeats_weigh_samples_and_not_rows(tmp_path: Path) -> None:
    """Sample 1 twice (right, wrong), sample 3 never: (1/2 + 0) / 2, not one right of three rows; and it is said."""
    answers = [
        {"sample": "1", "answer": "24 months", "repeat": 0},
        {"sample": "1", "answer": "12 months", "repeat": 1},
        {"sample": "1", "answer": "24 months", "repeat": 0, "system": "other"},
        {"sample": "1", "answer": "24 months", "repeat": 1, "system": "other"},
        {"sample": "3", "answer": "2 cups", "system": "other"},
    ]
    write(tmp_path / "samples.jsonl", [SAMPLES[0], SAMPLES[2]])
    place = write(tmp_path / "answers.jsonl", answers)
    done = call("score", str(tmp_path / "samples.jsonl"), place, f"out={tmp_path / 'out'}")
    assert done.code == 0, done.err
    assert measures(tmp_path, "system")["accuracy"] == pytest.approx(0.25)
    assert measures(tmp_path, "other")["accuracy"] == pytest.approx(0.5)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    missing, uneven = (one["text"] for one in summary["run"]["findings"])
    assert missing.startswith("1 planned answers are not in answers.jsonl")
    assert uneven.startswith("1 samples were answered fewer times than others by the same system")


def test_passages_without_a_document_say_nothing_of_the_retrieval(tmp_path: Path) -> None:
    asked = [{**SAMPLES[0], "relevant": ["alto.md"]}]
    samples = write(tmp_path / "samples.jsonl", asked)

    def found(place: str, passage: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        answers = write(tmp_path / "a.jsonl", [{"sample": "1", "answer": "12 months", "passages": [passage]}])
        assert call("score", samples, answers, f"out={tmp_path / place}").code == 0
        summary = json.loads((tmp_path / place / "summary.json").read_text())
        causes = json.loads((tmp_path / place / "attribution.json").read_text())
        return summary["systems"]["system"]["tasks"]["files"], causes["system"]["files"]

    measured, causes = found("texts", "The warranty is 24 months.")
    assert "recall_at_5" not in measured
    assert causes == {"not known": 1}
    measured, causes = found("named", {"text": "The warranty is 24 months.", "document": "alto.md"})
    assert measured["recall_at_5"]["estimate"] == 1
    assert causes == {"shown but misread": 1}


def test_odd_answers_are_scored(tmp_path: Path) -> None:
    """A citation of 5,000 digits, and half of a surrogate pair in an answer and in a passage."""
    odd = [{"sample": "1", "answer": f"24 months [{'9' * 5000}]", "passages": ["cut \ud83d"]}]
    odd += [{"sample": "2", "answer": "I don't know \ud83d"}]
    assert scored(tmp_path, odd).code == 0


def test_the_same_files_again_give_the_same_scores_and_other_answers_are_not_mixed_in(tmp_path: Path) -> None:
    assert scored(tmp_path, ANSWERS).code == 0
    before = (tmp_path / "out" / "scores.jsonl").read_bytes()
    assert scored(tmp_path, ANSWERS).code == 0
    assert (tmp_path / "out" / "scores.jsonl").read_bytes() == before
    line = scored(tmp_path, ANSWERS[:3]).one_line(2)
    assert line.endswith("out: holds other answers; choose another place with out=DIR")


def test_metrics_are_chosen_and_the_stages_go_on_from_there(tmp_path: Path) -> None:
    assert scored(tmp_path, ANSWERS, "metrics=exact_match,token_f1").code == 0
    assert set(measures(tmp_path, "ours")) == {"exact_match", "token_f1", "tokens_in", "tokens_out"}
    for stage in ("detect", "score", "report", "compare"):
        assert call(stage, str(tmp_path / "out")).code == 0


WRONG: list[tuple[list[dict[str, Any]], str]] = [
    ([{"sample": "9", "answer": "x"}], "answers.jsonl:1: no sample '9' among those of split test"),
    ([{"sample": "1", "answer": "x", "task": "routing"}], "answers.jsonl:1: no sample '1' of task 'routing'"),
    ([{"sample": "1"}], "answers.jsonl:1: answer is missing; every line has sample and answer"),
    ([{"sample": "1", "answer": 3}], "answers.jsonl:1: answer must be str or null, not int"),
    ([{"sample": "1", "answer": "x", "score": 1}], "answers.jsonl:1: unknown field 'score'"),
    ([{"sample": "1", "answer": "x", "passages": [7]}], "answers.jsonl:1: a passage must be a text or an object"),
    ([{"sample": "1", "answer": "x"}] * 2, "answers.jsonl:2: system 'system' answered sample '1' on line 1 already"),
    ([], "answers.jsonl: has no answers"),
]


@pytest.mark.parametrize(("answers", "said"), WRONG, ids=range(len(WRONG)))
def test_wrong_answers_are_one_line(answers: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    assert said in scored(tmp_path, answers).one_line(2)
    assert not (tmp_path / "out").exists()


def test_wrong_settings_are_one_line(tmp_path: Path) -> None:
    assert "metric acuracy: no such metric" in scored(tmp_path, ANSWERS, "metrics=acuracy").one_line(2)
    assert "seed: no such setting here" in scored(tmp_path, ANSWERS, "seed=1").one_line(2)
    assert "give the samples and the answers" in call("score", str(tmp_path / "samples.jsonl")).one_line(2)
