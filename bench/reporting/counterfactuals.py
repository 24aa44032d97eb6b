"""Whose wrong answers are, retrieval's or the model's, as table rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting import numbers


@dataclass(frozen=True, kw_only=True)
class Counterfactual:
    """A system's wrong answers, over the suite or on one task; counts, and shares of those asked again."""

    system: str
    task: str
    """Empty: the whole suite."""
    wrong: int
    asked: int
    retrieval: int
    """Right with the oracle context: retrieval's to mend."""
    retrieval_share: str
    model: int
    """Wrong all the same: the model's."""
    closed_book: int
    """Right without any passage."""
    closed_book_share: str


def counterfactual_rows(summary: Mapping[str, Any]) -> list[Counterfactual]:
    """Per system the whole suite, then its tasks; none where nothing was asked again."""
    return [
        _row(system, task, row)
        for system, found in (summary.get("counterfactuals") or {}).items()
        for task, row in [("", found), *found["tasks"].items()]
    ]


def _row(system: str, task: str, row: Mapping[str, Any]) -> Counterfactual:
    oracle, closed = row["right_with_oracle_context"], row["right_closed_book"]
    retrieval = _count(oracle)
    return Counterfactual(
        system=system,
        task=task,
        wrong=row["wrong"],
        asked=row["asked"],
        retrieval=retrieval,
        retrieval_share=numbers.with_interval(oracle),
        model=row["asked"] - retrieval,
        closed_book=_count(closed),
        closed_book_share=numbers.with_interval(closed),
    )


def _count(share: Mapping[str, Any]) -> int:
    return round((share["estimate"] or 0) * share["n"])
