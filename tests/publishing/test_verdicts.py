"""Three words for a measure, each from numbers worked out by hand or by the tests they rest on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.metrics.declared import metric
from bench.pool import Pool
from bench.publishing.by_figure import against_figures
from bench.publishing.by_machine import of_the_machine
from bench.publishing.by_sample import PREFIX, paired
from bench.publishing.claim import Claim, Figure
from bench.publishing.scores import REPEATS
from bench.publishing.verdicts import CANNOT_SAY, NOT_REPRODUCED, REPRODUCED, Verdict, overall
from bench.records import Prediction, Sample, Score
from bench.stats import two_one_sided_tests
from systems.base import Query


def pool(values: Sequence[float], measure: str = "accuracy", system: str = "rag") -> Pool:
    """One task, a sample for each value."""
    names = [f"{at:04}" for at in range(len(values))]
    samples = tuple(Sample(id=name, task="t", query=Query(text=""), reference="r") for name in names)
    keys = [{"system": system, "task": "t", "sample": name} for name in names]
    scores = [Score(**k, repeat=0, metric=measure, value=v) for k, v in zip(keys, values, strict=True)]
    return Pool(samples, tuple(Prediction(**key) for key in keys), tuple(scores), (metric(measure),))


def before(values: Sequence[float]) -> Pool:
    """The same as it was published."""
    return pool(values, system=f"{PREFIX}rag")


def claim(margin: float = 0.05, measure: str = "accuracy", *figures: Figure) -> Claim:
    return Claim(title="t", about="a", experiment="e", margins={measure: margin}, figures=figures)


def one(was: Sequence[float], now: Sequence[float], margin: float = 0.05) -> Verdict:
    [verdict] = paired(claim(margin), before(was), pool(now), ["rag"])
    return verdict


HALF = [1.0, 0.0] * 200


def test_the_same_answers_reproduce_where_they_are_enough() -> None:
    found = one(HALF, HALF)
    assert (found.word, found.difference, found.alike, found.n) == (REPRODUCED, 0.0, 400, 400)
    few = one(HALF[:20], HALF[:20])
    assert (few.word, few.reason, few.alike) == (CANNOT_SAY, "too few samples for this margin", 20)


def test_the_interval_is_that_of_two_one_sided_tests() -> None:
    """Ten answers of 400 turn wrong and four turn right: 6/400 less."""
    now = list(HALF)
    for at in range(0, 20, 2):
        now[at] = 0.0
    for at in range(101, 109, 2):
        now[at] = 1.0
    found = one(HALF, now)
    expected = two_one_sided_tests(np.array(now) - np.array(HALF), 0.05)
    assert found.difference == pytest.approx(-6 / 400)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (found.word, found.alike) == (REPRODUCED, 386)
    assert one(HALF, now, 0.02).word == CANNOT_SAY
    assert one(HALF, [0.0] * 400).word == NOT_REPRODUCED


def test_seeds_of_one_sample_are_one_cluster() -> None:
    """Three seeds that all differ in the same samples tell no more than one of them."""

    def thrice(one: Pool) -> Pool:
        def all_seeds(rows: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(replace(row, repeat=seed * REPEATS) for seed in range(3) for row in rows)

        return replace(one, predictions=all_seeds(one.predictions), scores=all_seeds(one.scores))

    now = [1.0 - value if at % 20 == 0 else value for at, value in enumerate(HALF)]
    [found] = paired(claim(), thrice(before(HALF)), thrice(pool(now)), ["rag"])
    single = one(HALF, now)
    assert (found.n, single.n) == (1200, 400)
    assert found.low is not None
    assert single.low is not None
    assert found.low == pytest.approx(single.low, abs=1e-3)


def test_answers_that_are_missing_say_nothing() -> None:
    [found] = paired(claim(), before(HALF), pool(HALF, system="other"), ["rag"])
    assert (found.word, found.reason) == (CANNOT_SAY, "the run has no such answers")


def test_a_margin_that_nothing_was_measured_for_says_so() -> None:
    both = Claim(title="t", about="a", experiment="e", margins={"accuracy": 0.05, "exact_match": 0.05})
    right, wrong = paired(both, before(HALF), pool(HALF), ["rag"])
    assert (right.word, wrong.measure, wrong.word) == (REPRODUCED, "exact_match", CANNOT_SAY)
    assert wrong.reason == "has a margin, and was not measured when it was published"
    timed = of_the_machine(claim(0.25, "latency_e2e_p51"), {"0": {"rag": {}}}, {"0": {"rag": {}}}, True)
    assert [(one.measure, one.word) for one in timed] == [("latency_e2e_p51", CANNOT_SAY)]


def test_a_measure_that_does_not_apply_to_one_system_is_no_doubt_of_it() -> None:
    found = paired(claim(), before(HALF), pool(HALF), ["prompt", "rag"])
    assert [(one.system, one.word) for one in found] == [("rag", REPRODUCED)]


def figure(value: float, margin: float, **more: Any) -> Figure:
    return Figure(system="rag", measure="accuracy", value=value, margin=margin, source="they", **more)


def test_a_figure_of_others_has_an_error_of_its_own() -> None:
    """0.5 of 400 against 0.5 of 400: √(.25/399 + .25/400) = .0354, times t(399) = 1.6487, is ±.0584."""
    [found] = against_figures(claim(0.05, "accuracy", figure(0.5, 0.06, n=400)), pool(HALF))
    error = math.sqrt(0.25 / 399 + 0.25 / 400)
    assert (found.low, found.high) == pytest.approx((-1.64868 * error, 1.64868 * error), abs=1e-5)
    assert (found.word, found.against) == (REPRODUCED, "they")
    [narrow] = against_figures(claim(0.05, "accuracy", figure(0.5, 0.055, n=400)), pool(HALF))
    assert narrow.word == CANNOT_SAY
    [alone] = against_figures(claim(0.05, "accuracy", figure(0.5, 0.055)), pool(HALF))
    assert (alone.word, alone.found, alone.low) == (CANNOT_SAY, 0.5, None)
    assert alone.reason == "of how many samples it is, is not known, and no interval of it"
    half = 1.959964 * math.sqrt(0.25 / 400)
    [told] = against_figures(claim(0.05, "accuracy", figure(0.5, 0.06, interval=(0.5 - half, 0.5 + half))), pool(HALF))
    assert (told.word, told.low) == (REPRODUCED, pytest.approx(found.low, abs=1e-6))
    [far] = against_figures(claim(0.05, "accuracy", figure(0.7, 0.06, n=400)), pool(HALF))
    assert far.word == NOT_REPRODUCED


def test_a_figure_of_these_very_samples_goes_by_the_margin_alone() -> None:
    def word(value: float, n: int = 400) -> str:
        [found] = against_figures(claim(0.05, "accuracy", figure(value, 0.01, n=n, same_samples=True)), pool(HALF))
        return found.word

    assert (word(0.505), word(0.52), word(0.5, 300)) == (REPRODUCED, NOT_REPRODUCED, CANNOT_SAY)


def test_a_figure_of_what_was_not_run_says_nothing() -> None:
    [found] = against_figures(claim(0.05, "accuracy", figure(0.5, 0.06)), pool(HALF, system="prompt"))
    assert (found.word, found.reason) == (CANNOT_SAY, "the run has no accuracy of rag")


def seconds(estimate: float, half: float = 0.01) -> dict[str, Any]:
    """An interval of ``half`` to either side, as shares."""
    return {"estimate": estimate, "low": estimate / (1 + half), "high": estimate * (1 + half), "n": 90, "unit": "s"}


def machine(before: Any, now: Any, same: bool = True) -> Verdict:
    name = "latency_e2e_p50"
    found = of_the_machine(claim(0.25, name), {"0": {"rag": {name: before}}}, {"0": {"rag": {name: now}}}, same)
    return next(iter(found))


def test_latency_is_held_to_the_same_machine() -> None:
    near = machine(seconds(0.100), seconds(0.110))
    assert (near.word, near.difference) == (REPRODUCED, pytest.approx(0.1))
    assert machine(seconds(0.100), seconds(0.150)).word == NOT_REPRODUCED
    assert machine(seconds(0.100, 0.5), seconds(0.110, 0.5)).word == CANNOT_SAY
    other = machine(seconds(0.100), seconds(0.100), same=False)
    assert (other.word, other.reason) == (CANNOT_SAY, "was measured on other hardware")
    none = machine(seconds(0.100), {"estimate": None, "low": None, "high": None, "n": 3, "unit": "s"})
    assert none.word == CANNOT_SAY


def test_the_worst_word_counts_for_all() -> None:
    good, bad = one(HALF, HALF), one(HALF, [0.0] * 400)
    open_ = one(HALF[:20], HALF[:20])
    assert overall([good]) == REPRODUCED
    assert overall([good, open_]) == overall([]) == CANNOT_SAY
    assert overall([good, open_, bad]) == NOT_REPRODUCED
