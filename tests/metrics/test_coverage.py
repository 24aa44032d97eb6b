"""How much of what has to be said is said."""

from __future__ import annotations

import pytest

from bench.metrics.coverage import Coverage
from tests.metrics.making import prediction, sample

REQUIRED = ["40 euros", "5 March 2024", "Anna Brandt"]


@pytest.mark.parametrize(
    ("text", "value", "missing"),
    [
        ("Anna Brandt, 40 euros, 5 March 2024.", 1, []),
        ("ANNA BRANDT paid 40 Euros.", 2 / 3, ["5 March 2024"]),
        ("Anna paid 140 euros on 25 March 2024.", 0, REQUIRED),
        ("", 0, REQUIRED),
    ],
)
def test_values_count_where_they_stand_whole(text: str, value: float, missing: list[str]) -> None:
    found = Coverage().score(sample(tags={"required": REQUIRED}), prediction(text), {})
    assert found.value == pytest.approx(value)
    assert found.detail.get("missing", []) == missing


def test_an_answer_that_never_came_holds_nothing() -> None:
    failed = prediction("40 euros", error="time-out")
    assert Coverage().score(sample(tags={"required": ["40 euros"]}), failed, {}).value == 0


def test_where_nothing_is_required_nothing_is_measured() -> None:
    assert Coverage().score(sample(), prediction("40 euros"), {}).value is None
