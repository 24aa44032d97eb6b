from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.reporting.run_files import RunFiles, read_run
from bench.reporting.samples import KINDS, LONGEST, pick
from tests.reporting.example_run import write_example
from tests.reporting.summaries import summary


def run_of(answers: dict[str, dict[str, Any]], *, text: str = "q") -> RunFiles:
    """One sample; per system its metric values, ``error`` and ``outcome``."""
    predictions, scores = [], []
    for system, values in answers.items():
        key = {"system": system, "task": "t", "sample": "s", "repeat": 0}
        predictions.append({**key, "text": "answer", "error": values.get("error")})
        for metric, value in values.items():
            if metric not in ("error", "outcome"):
                scores.append({**key, "metric": metric, "value": value, "detail": {"outcome": values.get("outcome")}})
    return RunFiles(
        directory=Path(),
        summary=summary(dict.fromkeys(answers, 0.5), set()),
        samples=({"id": "s", "task": "t", "query": {"text": text}, "reference": "r"},),
        predictions=tuple(predictions),
        scores=tuple(scores),
    )


def kinds(answers: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    picked = pick(run_of(answers))
    return picked[0].kinds if picked else ()


def test_each_kind_of_trouble_is_seen() -> None:
    assert kinds({"prompt": {"accuracy": 1}, "rag": {"accuracy": 0}}) == ("disagreement",)
    assert kinds({"rag": {"accuracy": 0, "hallucination_rate": 1}}) == ("hallucinated",)
    assert kinds({"rag": {"accuracy": 1, "format_adherence": 0}}) == ("malformed",)
    assert kinds({"prompt": {"rules_followed": 1}, "rag": {"rules_followed": 0}}) == ("disagreement", "malformed")
    assert kinds({"rag": {"accuracy": 0, "outcome": "abstained"}}) == ("refused",)
    assert kinds({"rag": {"accuracy": 0, "error": "timed out"}}) == ("failed",)


def test_a_sample_that_all_answer_right_is_not_shown() -> None:
    assert kinds({"prompt": {"accuracy": 1}, "rag": {"accuracy": 1, "format_adherence": 1}}) == ()


def test_abstaining_rightly_is_no_trouble() -> None:
    assert kinds({"rag": {"accuracy": 1, "outcome": "abstained"}}) == ()


def test_a_metric_that_does_not_apply_says_nothing() -> None:
    assert kinds({"rag": {"accuracy": 1, "format_adherence": None}}) == ()


def test_the_choice_is_bounded_repeatable_and_mixed(tmp_path: Path) -> None:
    run = read_run(write_example(tmp_path))
    picked = pick(run)
    assert len(picked) == 60
    assert picked == pick(run)
    assert {sample.task for sample in picked} == {sample["task"] for sample in run.samples}
    assert all(sum(kind in sample.kinds for sample in picked) >= 5 for kind in KINDS if kind != "unsupported")


def test_what_is_true_without_its_passages_is_no_hallucination() -> None:
    [looked] = pick(run_of({"rag": {"accuracy": 1, "hallucination_rate": 0, "unfaithful_rate": 1}}))
    assert looked.kinds == ("unsupported",)
    [looked] = pick(run_of({"rag": {"accuracy": 0, "hallucination_rate": 1, "unfaithful_rate": 1}}))
    assert looked.kinds == ("hallucinated",)


def test_long_texts_are_cut_and_say_so() -> None:
    found = pick(run_of({"rag": {"accuracy": 0, "hallucination_rate": 1}}, text="x" * (LONGEST + 7)))[0].query
    assert found == "x" * LONGEST + " … (7 more characters)"
