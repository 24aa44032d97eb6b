"""What the controls show is read from answers that came: a failed call proves nothing."""

from __future__ import annotations

from typing import Any

from bench.controls import read_controls


def record(
    number: int, tuned: bool, text: str, error: str | None = None, control: bool = True, adapter: str = "a"
) -> dict[str, Any]:
    return {
        "system": "finetuned",
        "adapter": adapter,
        "number": number,
        "tuned": tuned,
        "control": control,
        "expected": "24 months",
        "text": text,
        "error": error,
    }


def test_the_proof_counts_answers_that_differ() -> None:
    records = [record(0, True, "24 months"), record(0, False, "I don't know.")]
    records += [record(1, True, "same", control=False), record(1, False, "same", control=False)]
    found = read_controls(records)
    assert found["adapter_proof"] == {"different": 1, "of": 2}
    assert (found["positive_control"]["recalled"], found["positive_control"]["of"]) == (1, 1)
    assert found["positive_control"]["informative"]


def test_a_server_that_knows_no_adapter_proves_nothing() -> None:
    records = [record(n, True, "", error="404: no such model") for n in range(3)]
    records += [record(n, False, "I don't know.") for n in range(3)]
    assert read_controls(records) == {}


def test_an_adapter_that_forgot_is_not_informative() -> None:
    records = [record(n, True, "24 months" if n == 0 else "9 months") for n in range(4)]
    control = read_controls(records)["positive_control"]
    assert (control["recalled"], control["of"], control["informative"]) == (1, 4, False)


def test_an_adapter_that_is_not_applied_does_not_hide_behind_another() -> None:
    records = [record(n, True, "24 months") for n in range(4)] + [record(n, False, "no") for n in range(4)]
    records += [record(n, tuned, "no", adapter="b") for n in range(4) for tuned in (True, False)]
    found = read_controls(records)
    assert found["adapter_proof"] == {"different": 0, "of": 4}
    assert found["positive_control"]["informative"] is False
