"""Outcomes, hallucination, citations, retrieval, labels, accepted: worked out by hand and against oracles."""

from __future__ import annotations

import random
from typing import Any

import pytest
import pytrec_eval
from sklearn.metrics import f1_score

from bench.metrics.accepted import Accepted
from bench.metrics.accuracy import Accuracy
from bench.metrics.base import DECLARED
from bench.metrics.citation import CitationPrecision, CitationRecall, citation_precision, citation_recall
from bench.metrics.exact_match import ExactMatch
from bench.metrics.hallucination import HallucinationRate, SelfKnowledgeRate, UnfaithfulRate
from bench.metrics.macro_f1 import MacroF1
from bench.metrics.out_of_scope import OutOfScopeRecall
from bench.metrics.outcome import AbstentionRecall, FalseRefusalRate, OutcomeRate, outcome
from bench.metrics.retrieval import NDCG, Recall, ReciprocalRank, Success
from tests.metrics.making import prediction, sample
from tests.oracles.retrieval import measured


def judged(unfactual: bool = False, unfaithful: bool | None = None, **rest: Any) -> dict[str, Any]:
    verdict = {"unfactual": unfactual, "unfaithful": unfaithful, "conflicts": 0, "asserted": 1}
    return {"closed_world": verdict | rest, DECLARED: verdict | rest}


@pytest.mark.parametrize(
    ("reference", "text", "error", "expected"),
    [
        ("42", "It is 42.", None, "correct"),
        ("42", "It is 43.", None, "incorrect"),
        ("42", "I don't know.", None, "abstained"),
        ("42", "", None, "failed"),
        ("42", "It is 42.", "timeout", "failed"),
        (None, "I don't know.", None, "abstained"),
        (None, "It is 42.", None, "incorrect"),
    ],
)
def test_outcomes(reference: str | None, text: str, error: str | None, expected: str) -> None:
    made, answer = sample(reference), prediction(text, error=error)
    assert outcome(made, answer, {}) == expected
    rates = {
        kind: OutcomeRate(outcome=kind).score(made, answer, {}).value
        for kind in ("correct", "incorrect", "abstained", "failed")
    }
    assert rates == {kind: float(kind == expected) for kind in rates}
    assert AbstentionRecall().score(made, answer, {}).value == (None if reference else float(expected == "abstained"))
    assert FalseRefusalRate().score(made, answer, {}).value == (float(expected == "abstained") if reference else None)


def test_outcomes_are_for_factual_answers() -> None:
    for other in (sample({"a": 1}), sample("x", tags={"labels": ["x"]})):
        assert OutcomeRate(outcome="correct").score(other, prediction("x"), {}).value is None
        assert FalseRefusalRate().score(other, prediction("I don't know"), {}).value is None


def test_where_no_one_answer_is_right_only_abstained_and_failed_are_told() -> None:
    for reference in (None, "for example this"):
        made = sample(reference, open=True)
        for answer in (prediction("I don't know."), prediction("x", error="time-out")):
            assert Accuracy().score(made, answer, {}).value is None
        for metric in (
            ExactMatch(),
            AbstentionRecall(),
            FalseRefusalRate(),
            OutcomeRate("correct"),
            OutcomeRate("incorrect"),
        ):
            assert metric.score(made, prediction("I don't know."), {}).value is None
        assert OutcomeRate("abstained").score(made, prediction("I don't know."), {}).value == 1
        assert OutcomeRate("abstained").score(made, prediction("for example this"), {}).value == 0
        assert OutcomeRate("failed").score(made, prediction(""), {}).value == 1
        assert Accepted().score(made, prediction("Anything."), {}).value == 1
        assert Accepted().score(made, prediction("I don't know."), {}).detail == {"missing": "answer"}
        assert Accepted().score(made, prediction("Made up.", shown=("c1",)), judged(unfaithful=True)).value == 0


def test_hallucination_denominators() -> None:
    made, shown = sample(tags={"value_kind": "number"}), ("c1",)
    rate, tried = HallucinationRate(), HallucinationRate(attempted=True)
    assert rate.score(made, prediction("It is 43."), judged(True)).value == 1
    assert tried.score(made, prediction("It is 43."), judged(True)).value == 1
    for nothing in (prediction("I don't know."), prediction("", error="timeout")):
        assert rate.score(made, nothing, judged(False)).value == 0
        assert rate.score(made, nothing, {}).value is None  # no detector ran: nothing is known of any answer
        assert tried.score(made, nothing, judged(False)).value is None
    assert rate.score(made, prediction("It is 43."), {}).value is None
    assert UnfaithfulRate().score(made, prediction("It is 42."), judged(False, True)).value is None
    assert UnfaithfulRate().score(made, prediction("It is 42.", shown=shown), judged(False, True)).value == 1
    assert UnfaithfulRate().score(made, prediction("It is 42.", shown=shown), judged(False, None)).value is None
    abstained = judged(False, False, asserted=0)
    assert UnfaithfulRate().score(made, prediction("I don't know", shown=shown), abstained).value == 0
    # It searched, found nothing, and asserts something all the same: nothing supports that.
    searched = prediction("It is 42.", timings={"search": 0.01})
    assert UnfaithfulRate().score(made, searched, judged(False, None)).value == 1
    assert UnfaithfulRate().score(made, searched, judged(False, None, asserted=0)).value == 0


def test_unsupported_but_true_is_its_own_class() -> None:
    answer = prediction("It is 42.", shown=("c1",))
    assert SelfKnowledgeRate().score(sample(), answer, judged(False, True)).value == 1
    assert SelfKnowledgeRate().score(sample(), answer, judged(True, True)).value == 0
    assert SelfKnowledgeRate().score(sample(), answer, judged(False, False)).value == 0
    assert SelfKnowledgeRate().score(sample(), prediction("It is 42."), judged()).value is None


@pytest.mark.parametrize(
    ("cited", "supports", "recall", "precision"),
    [
        ((1,), (True, False), 1, 1),
        ((2,), (True, False), 0, 0),
        ((1, 2), (True, False), 1, 0.5),
        ((1, 2), (True, True), 1, 1),
        ((1, 2, 3), (True, False, False), 1, 1 / 3),
        ((), (True, False), 0, 0),
        ((1, 3), (True, False), 0, 0),
        ((0,), (True, False), 0, 0),
        ((1,), (), 0, 0),
    ],
)
def test_citations(cited: tuple[int, ...], supports: tuple[bool, ...], recall: float, precision: float) -> None:
    assert citation_recall(cited, supports) == recall
    assert citation_precision(cited, supports) == pytest.approx(precision)
    answer = prediction("42", citations=cited, shown=tuple(f"c{at}" for at in range(len(supports))))
    made = sample(tags={"cite": True})
    verdicts = judged(supports=list(supports))
    assert CitationRecall().score(made, answer, verdicts).value == recall
    assert CitationPrecision().score(made, answer, verdicts).value == pytest.approx(precision)


def test_citations_apply_where_they_are_asked_for() -> None:
    answer = prediction("42", citations=(1,), shown=("c1",))
    verdicts = judged(supports=[True])
    assert CitationRecall().score(sample(), answer, verdicts).value is None
    assert CitationRecall().score(sample(None, tags={"cite": True}), answer, verdicts).value is None
    assert CitationRecall().score(sample(tags={"cite": True}), answer, {}).value is None
    failed = prediction("", citations=(1,), shown=("c1",), error="timeout")
    assert CitationRecall().score(sample(tags={"cite": True}), failed, verdicts).value == 0


def test_a_document_counts_at_its_best_chunk() -> None:
    """Chunks of a, a, b, a, c; relevant b and c at ranks 3 and 5: nDCG (1/2 + 1/log2 6)/(1 + 1/log2 3)."""
    made = sample(relevant=("b", "c"))
    answer = prediction("", retrieved=tuple("12345"), retrieved_documents=("a", "a", "b", "a", "c"))
    assert [Recall(k).score(made, answer, {}).value for k in (1, 3, 5)] == [0, 0.5, 1]
    assert Success(5).score(made, answer, {}).value == 1
    assert Success(4).score(made, answer, {}).value == 0
    assert ReciprocalRank().score(made, answer, {}).value == pytest.approx(1 / 3)
    assert NDCG(10).score(made, answer, {}).value == pytest.approx((0.5 + 0.386853) / 1.63093, abs=1e-5)
    chunks = sample(relevant=("4",))
    assert ReciprocalRank(level="chunk").score(chunks, answer, {}).value == 0.25


def test_retrieval_is_for_systems_that_retrieve() -> None:
    made = sample(relevant=("b",))
    assert Recall(5).score(made, prediction("x"), {}).value is None
    assert Recall(5).score(made, prediction("x", timings={"search": 0.1}), {}).value == 0
    assert Recall(5).score(sample(), prediction("x", timings={"search": 0.1}), {}).value is None


def test_retrieval_equals_pytrec_eval() -> None:
    generator = random.Random(0)
    documents = [f"d{number}" for number in range(40)]
    for _ in range(50):
        ranking = generator.sample(documents, generator.randint(1, 30))
        relevant = generator.sample(documents, generator.randint(1, 14))
        for grades in (dict.fromkeys(relevant, 1), {name: generator.randint(1, 4) for name in relevant}):
            evaluator = pytrec_eval.RelevanceEvaluator({"q": grades}, {"recall.1,5,10", "recip_rank", "ndcg_cut.5,10"})
            run = {"q": {name: float(100 - rank) for rank, name in enumerate(ranking)}}
            expected = evaluator.evaluate(run)["q"]
            found = measured(ranking, grades)
            assert found == pytest.approx({name: expected[name] for name in found})


def test_a_better_document_further_down_costs_as_in_trec_eval() -> None:
    """Grades 1 and 2 at ranks 1 and 2: (1 + 2/log2 3)/(2 + 1/log2 3)."""
    assert measured(["d1", "d0"], {"d0": 2, "d1": 1})["ndcg_cut_10"] == pytest.approx(0.8597, abs=1e-4)
    assert measured(["d1", "d0"], {"d0": 1, "d1": 1})["ndcg_cut_10"] == 1


def test_macro_f1_equals_scikit_learn() -> None:
    generator = random.Random(1)
    labels = ["a", "b", "c", "d"]
    gold = [generator.choice(labels) for _ in range(60)]
    given = [one if generator.random() < 0.6 else generator.choice([*labels, "nonsense"]) for one in gold]
    samples = [sample(one, tags={"labels": labels}) for one in gold]
    found = MacroF1().aggregate(samples, [prediction(one.upper()) for one in given])
    assert found == pytest.approx(f1_score(gold, given, labels=labels, average="macro"))
    assert MacroF1().aggregate([sample("x")], [prediction("x")]) is None


def test_macro_f1_counts_a_failed_call_as_a_miss() -> None:
    samples = [sample("a", tags={"labels": 1}), sample("a", tags={"labels": 1})]
    # One right, one missed: F1 = 2/(2 + 1).
    assert MacroF1().aggregate(samples, [prediction("a"), prediction("a", error="x")]) == pytest.approx(2 / 3)


def test_out_of_scope_recall() -> None:
    made = sample("oos", tags={"labels": ["oos"], "out_of_scope": True})
    assert OutOfScopeRecall().score(made, prediction("oos"), {}).value == 1
    assert OutOfScopeRecall().score(made, prediction("lost_card"), {}).value == 0
    assert OutOfScopeRecall().score(sample("a", tags={"labels": ["a"]}), prediction("a"), {}).value is None


@pytest.mark.parametrize(
    ("text", "shown", "verdicts", "missing"),
    [
        ("It is 42.", (), judged(False), None),
        ("It is 42.", (), judged(True), "factual"),
        ("It is 42.", ("c1",), judged(False, False), None),
        ("It is 42.", ("c1",), judged(False, True), "faithful"),
        ("It is 42.", ("c1",), judged(True, False), None),
        ("It is 43.", (), judged(False), "correct"),
        ("It is 42.", (), {}, None),
    ],
)
def test_accepted(text: str, shown: tuple[str, ...], verdicts: dict[str, Any], missing: str | None) -> None:
    found = Accepted().score(sample(), prediction(text, shown=shown), verdicts)
    assert found.value == float(missing is None)
    assert found.detail.get("missing") == missing


def test_accepted_asks_for_the_format() -> None:
    made = sample({"a": 1}, {"required": ["a", "b"]})
    assert Accepted().score(made, prediction('{"a": 1}'), {}).detail == {"missing": "well-formed"}
    assert Accepted().score(made, prediction('{"a": 1}', error="timeout"), {}).detail == {"missing": "answer"}
    assert Accepted().score(sample(None), prediction("I don't know."), judged(False)).value == 1
