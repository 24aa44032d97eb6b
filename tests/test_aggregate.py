"""Estimates, comparisons and effects: small runs whose numbers are worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from bench.aggregate import comparisons, effects, estimates, latency_estimates
from bench.metrics.base import Value
from bench.metrics.macro_f1 import MacroF1
from bench.records import Prediction, Sample, Score
from bench.stats import bonett_price, mcnemar_exact, minimum_detectable_effect_paired, sign_flip_permutation, wilson
from systems.base import Query

SYSTEMS = ("prompt", "rag", "finetuned", "hybrid")


@dataclass(frozen=True)
class Given:
    """A measure whose values the test hands in."""

    name: str = "accuracy"
    unit: str = "share"
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Any) -> Value:
        raise NotImplementedError


@dataclass
class Run:
    samples: list[Sample]
    predictions: list[Prediction]
    scores: list[Score]

    @property
    def records(self) -> tuple[list[Sample], list[Prediction], list[Score]]:
        return self.samples, self.predictions, self.scores


def run(
    tasks: dict[str, dict[str, Sequence[float | None]]],
    clusters: Sequence[str] | None = None,
    measure: str = "accuracy",
    repeats: int = 1,
) -> Run:
    """Values per task and system, in the order of the samples."""
    made = Run([], [], [])
    for task, systems in tasks.items():
        size = len(next(iter(systems.values())))
        for at in range(size):
            cluster = clusters[at] if clusters else ""
            made.samples.append(Sample(id=f"s{at}", task=task, query=Query(text="?"), reference="x", cluster=cluster))
            for system, values in systems.items():
                for repeat in range(repeats):
                    where = {"system": system, "task": task, "sample": f"s{at}", "repeat": repeat}
                    made.predictions.append(Prediction(**where, tokens_in=10, tokens_out=at))  # type: ignore[arg-type]
                    made.scores.append(Score(**where, metric=measure, value=values[at]))  # type: ignore[arg-type]
    return made


def test_independent_shares_have_wilsons_interval() -> None:
    made = run({"qa": {"rag": [1, 1, 1, 0, None]}})
    found = estimates(*made.records, [Given()])["rag"]
    expected = wilson(3, 4)
    entry = found.tasks["qa"]["accuracy"]
    assert (entry.estimate, entry.low, entry.high, entry.n) == (0.75, expected.low, expected.high, 4)
    assert found.measures["accuracy"] == entry
    assert found.measures["tokens_in"].estimate == 10
    assert found.measures["tokens_out"].estimate == 2


def test_every_task_weighs_the_same() -> None:
    made = run({"small": {"rag": [1, 0]}, "large": {"rag": [1] * 30 + [0] * 10}})
    entry = estimates(*made.records, [Given()])["rag"].measures["accuracy"]
    assert entry.estimate == pytest.approx((0.5 + 0.75) / 2)
    assert entry.n == 42
    assert entry.method is not None
    assert "stratified by task" in entry.method


def test_clusters_and_repeats_are_not_independent() -> None:
    values = [1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 1]
    own = estimates(*run({"qa": {"rag": values}}).records, [Given()])["rag"].measures["accuracy"]
    repeated = estimates(*run({"qa": {"rag": values}}, repeats=5).records, [Given()])["rag"].measures["accuracy"]
    shared = estimates(*run({"qa": {"rag": values}}, clusters=list("aaabbbcccddd")).records, [Given()])["rag"].measures[
        "accuracy"
    ]
    assert own.method is not None
    assert own.method.startswith("Wilson")
    for entry in (repeated, shared):
        assert entry.method is not None
        assert entry.method.startswith("cluster bootstrap")
        assert entry.low is not None
        assert entry.high is not None
        assert entry.high - entry.low > 0.4
    assert repeated.n == 60


def test_every_sample_weighs_the_same_however_often_it_was_asked() -> None:
    """Sample 1 twice (right, wrong), sample 2 once (wrong): (1/2 + 0) / 2, not 1/3."""
    made = run({"qa": {"a": [1, 1], "b": [1, 0]}}, repeats=2)
    made.predictions = [one for one in made.predictions if (one.system, one.sample, one.repeat) != ("b", "s1", 1)]
    made.scores = [
        replace(one, value=0.0) if (one.system, one.sample, one.repeat) == ("b", "s0", 1) else one
        for one in made.scores
    ]
    found = estimates(*made.records, [Given()])
    assert found["b"].measures["accuracy"].estimate == pytest.approx(0.25)
    assert found["a"].measures["accuracy"].estimate == 1
    row = comparisons(*made.records, [Given()])[0]
    # Shared are sample 1 twice and sample 2 once: (1/2 + 1) / 2; two clusters flip exactly.
    assert row["difference"] == pytest.approx(0.75)
    assert (row["p_value"], row["test"]) == (0.5, "cluster sign flips, exact")


def test_answers_that_a_measure_does_not_apply_to_do_not_lift_the_others() -> None:
    """A share of the attempted answers stays one of answers: 3 right of 4, though one sample has three of them."""
    made = run({"qa": {"a": [1, 1]}}, repeats=3)
    values = iter([1.0, 1.0, 0.0, 1.0, None, None])
    made.scores = [replace(one, value=next(values)) for one in made.scores]
    assert estimates(*made.records, [Given()])["a"].measures["accuracy"].estimate == pytest.approx(3 / 4)


def test_a_cluster_in_two_tasks_is_resampled_whole() -> None:
    """The same values twice, from the same documents, are no more evidence than once."""
    values = (0.2 + 0.6 * np.random.default_rng(0).integers(0, 2, size=40)).tolist()
    names = [f"d{at}" for at in range(40)]
    once = estimates(*run({"a": {"rag": values}}, names).records, [Given()], repeats=4000)["rag"]
    twice = estimates(*run({"a": {"rag": values}, "b": {"rag": values}}, names).records, [Given()], repeats=4000)["rag"]
    apart = estimates(*run({"a": {"rag": values}, "b": {"rag": values}}).records, [Given()], repeats=4000)["rag"]

    def width(entry: Any) -> float:
        return entry.measures["accuracy"].high - entry.measures["accuracy"].low

    assert width(twice) == pytest.approx(width(once), rel=0.1)
    assert width(apart) == pytest.approx(width(twice) / np.sqrt(2), rel=0.12)


def test_a_perfect_score_has_a_lower_end_below_one() -> None:
    made = run({"a": {"rag": [1] * 10}, "b": {"rag": [1] * 10}})
    entry = estimates(*made.records, [Given()])["rag"].measures["accuracy"]
    # Two strata of ten, weighing the same, tell as much as twenty samples in one.
    assert (entry.low, entry.high) == pytest.approx((wilson(20, 20).low, 1.0))


def test_a_task_without_spread_still_widens_the_suites_interval() -> None:
    """0 of 20 seen may be up to Wilson's 16 %: half of that joins the other task's half, as squares."""
    half = [1.0, 0.0] * 10
    alone = estimates(*run({"b": {"rag": half}, "c": {"rag": half}}).records, [Given()])["rag"].measures["accuracy"]
    made = run({"a": {"rag": [0] * 20}, "b": {"rag": half}})
    entry = estimates(*made.records, [Given()])["rag"].measures["accuracy"]
    of_b = estimates(*run({"b": {"rag": half}, "x": {"rag": [None]}}).records, [Given()])["rag"].measures["accuracy"]
    nothing = wilson(0, 20).high
    assert None not in (alone.low, entry.high, of_b.high, nothing)
    assert entry.high == pytest.approx(0.25 + 0.5 * np.hypot(nothing, of_b.high - 0.5), abs=0.03)
    assert entry.low == pytest.approx(0.25 - 0.5 * (0.5 - of_b.low), abs=0.03)


def test_an_unbounded_measure_keeps_tasks_that_do_not_vary() -> None:
    made = run({"a": {"rag": [5.0, 7, 9, 11] * 10}, "b": {"rag": [30.0] * 40}}, measure="length")
    entry = estimates(*made.records, [Given(name="length", unit="mean")])["rag"].measures["length"]
    assert entry.estimate == pytest.approx(19)
    assert entry.low is not None
    assert entry.high is not None
    assert 18 < entry.low < 19 < entry.high < 20


def test_one_sample_in_a_task_does_not_cost_the_suite_its_interval() -> None:
    made = run({"a": {"rag": [1]}, "b": {"rag": [1.0, 0.0] * 10}})
    entry = estimates(*made.records, [Given()])["rag"].measures["accuracy"]
    assert entry.low is not None
    assert entry.high is not None
    assert entry.low < 0.55 < entry.estimate < entry.high <= 1


def test_what_does_not_apply_says_so() -> None:
    found = estimates(*run({"qa": {"rag": [None, None]}}).records, [Given()])["rag"]
    assert "accuracy" not in found.tasks["qa"]
    entry = found.to_json()["measures"]["accuracy"]
    assert entry["estimate"] is None
    assert entry["reason"]


def test_independent_pairs_are_compared_by_mcnemar() -> None:
    """a right alone on 8, b alone on 1, both on 6, neither on 5."""
    values = {"a": [1] * 8 + [0] + [1] * 6 + [0] * 5, "b": [0] * 8 + [1] + [1] * 6 + [0] * 5}
    (row,) = comparisons(*run({"qa": values}).records, [Given()])[:1]
    interval = bonett_price(8, 1, 20)
    assert row == {
        "measure": "accuracy", "task": "qa", "a": "a", "b": "b", "difference": 0.35, "low": interval.low,
        "high": interval.high, "test": "exact McNemar", "p_value": mcnemar_exact(8, 1), "p_holm": mcnemar_exact(8, 1),
        "mde": minimum_detectable_effect_paired(20, 9 / 20), "n": 20, "discordant": [8, 1], "method": interval.method,
    }  # fmt: skip


def test_clustered_pairs_are_compared_by_sign_flips() -> None:
    values = {"a": [1, 1, 1, 1, 0, 1], "b": [0, 0, 1, 0, 0, 0]}
    row = comparisons(*run({"qa": values}, list("aabbcc")).records, [Given()])[0]
    assert row["test"] == "cluster sign flips, exact"
    assert row["p_value"] == sign_flip_permutation([1, 1, 0, 1, 0, 1], list("aabbcc")).p_value == 0.25
    assert row["discordant"] == [4, 0]


def test_six_pairs_corrected_within_measure_and_task() -> None:
    generator = np.random.default_rng(0)
    tasks = {task: {system: generator.integers(0, 2, size=30).tolist() for system in SYSTEMS} for task in ("qa", "sql")}
    rows = [row for row in comparisons(*run(tasks).records, [Given()]) if row["measure"] == "accuracy"]
    assert {row["task"] for row in rows} == {"qa", "sql", "suite"}
    for task in ("qa", "sql", "suite"):
        family = [row for row in rows if row["task"] == task]
        assert len({(row["a"], row["b"]) for row in family}) == len(family) == 6
        smallest = min(family, key=lambda row: row["p_value"])
        assert smallest["p_holm"] == pytest.approx(min(1, 6 * smallest["p_value"]))
        assert all(row["p_holm"] >= row["p_value"] for row in family)


def test_only_shared_samples_are_compared() -> None:
    rows = comparisons(*run({"qa": {"a": [1, 1, None, 0], "b": [0, None, 1, 0]}}).records, [Given()])
    assert next(row for row in rows if row["measure"] == "accuracy")["n"] == 2


def test_effects_by_hand() -> None:
    shares = {"prompt": 2, "rag": 7, "finetuned": 4, "hybrid": 8}
    made = run({"qa": {name: [1] * right + [0] * (10 - right) for name, right in shares.items()}})
    found = effects(*made.records, [Given()])["accuracy"]
    assert found["retrieval"]["unit"] == Given().unit  # a difference of shares is shown in points
    for name, value in (("retrieval", 0.45), ("tuning", 0.15), ("interaction", -0.1)):
        entry = found[name]
        assert entry["estimate"] == pytest.approx(value)
        assert entry["low"] < value < entry["high"]
        assert found["tasks"]["qa"][name]["estimate"] == pytest.approx(value)
    assert "interaction" not in effects(*made.records, [Given()], interaction=False)["accuracy"]
    assert effects(*made.records, [Given()], grid={"prompt": "absent"}) == {}


def test_macro_f1_is_folded_not_averaged() -> None:
    generator = np.random.default_rng(3)
    gold = [f"l{one}" for one in generator.integers(0, 4, size=80)]
    said = {
        "a": [one if generator.random() < 0.9 else "l0" for one in gold],
        "b": [one if generator.random() < 0.4 else "l0" for one in gold],
    }
    samples = [
        Sample(id=str(at), task="t", query=Query(text="?"), reference=one, tags={"labels": 1})
        for at, one in enumerate(gold)
    ]
    predictions = [
        Prediction(system=name, task="t", sample=str(at), text=one)
        for name, texts in said.items()
        for at, one in enumerate(texts)
    ]
    scores = [
        Score(system=one.system, task="t", sample=one.sample, repeat=0, metric="macro_f1", value=0.0)
        for one in predictions
    ]
    found = estimates(samples, predictions, scores, [MacroF1()])
    expected = {name: f1_score(gold, texts, average="macro") for name, texts in said.items()}
    for name in said:
        entry = found[name].measures["macro_f1"]
        assert entry.estimate == pytest.approx(expected[name])
        assert entry.low is not None
        assert entry.high is not None
        assert entry.low < expected[name] < entry.high
    row = next(row for row in comparisons(samples, predictions, scores, [MacroF1()]) if row["measure"] == "macro_f1")
    assert row["difference"] == pytest.approx(expected["a"] - expected["b"])
    assert row["p_value"] < 0.01
    assert row["low"] > 0


def test_latency_percentiles_and_their_floors() -> None:
    found = latency_estimates([at / 100 for at in range(1, 101)], mode="open, 4/s")
    assert found["latency_e2e_p50"].estimate == 0.5
    assert found["latency_e2e_p95"].estimate == 0.95
    assert found["latency_e2e_p99"].estimate is None
    assert found["latency_e2e_p99"].reason == "100 samples are too few for an interval of p99"
    assert {entry.mode for entry in found.values()} == {"open, 4/s"}


def test_failed_calls_are_slower_than_all() -> None:
    found = latency_estimates([1.0] * 90, mode="open", quantiles=(0.5, 0.95), failures=10, name="ttft")
    assert found["ttft_p50"].estimate == 1.0
    assert found["ttft_p95"].estimate is None
    assert found["ttft_p95"].reason == "10 of 100 calls failed, and p95 falls among them"
    near = latency_estimates([1.0] * 93, mode="open", quantiles=(0.9,), failures=7)["latency_e2e_p90"]
    assert (near.estimate, near.high, near.n) == (1.0, None, 100)
