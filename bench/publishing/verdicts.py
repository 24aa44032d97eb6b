"""Measure by measure: whether a later run gives what was published, within the margin that was published with it.

Three words. *Reproduced*: the interval of two one-sided tests at 5 % lies within the margin. *Not reproduced*: it lies
outside. *Cannot say*: it holds an end of the margin, so the samples are too few; or the machine is another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.stats.equivalence import Equivalence

REPRODUCED, NOT_REPRODUCED, CANNOT_SAY = "reproduced", "not reproduced", "cannot say"
OURS = "published"
"""Stands for our own numbers where a source is due."""
NOT_MEASURED = "has a margin, and was not measured when it was published"
CODES = {REPRODUCED: 0, NOT_REPRODUCED: 3, CANNOT_SAY: 4}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One measure of one system."""

    system: str
    measure: str
    against: str
    """``OURS``, or who published it."""
    published: float | None
    found: float | None
    difference: float | None
    """Found less published; of a measure of the machine, the ratio less 1."""
    low: float | None
    high: float | None
    """The interval of the two tests (90 %); ``None`` where nothing was left to chance, or nothing can be said."""
    margin: float
    n: int
    word: str
    reason: str = ""
    alike: int | None = None
    """Of ``n``, those with the published value to the last digit."""


def overall(verdicts: Sequence[Verdict]) -> str:
    """One word for all: the worst of them."""
    words = {one.word for one in verdicts}
    if NOT_REPRODUCED in words:
        return NOT_REPRODUCED
    return CANNOT_SAY if CANNOT_SAY in words or not words else REPRODUCED


def word_of(same: Equivalence) -> tuple[str, str]:
    """The word for two one-sided tests, and its reason."""
    if same.equivalent:
        return REPRODUCED, ""
    if same.low is None or same.high is None:
        return CANNOT_SAY, "too few samples"
    if same.low > same.margin or same.high < -same.margin:
        return NOT_REPRODUCED, "the difference is beyond the margin"
    return CANNOT_SAY, "too few samples for this margin"


def missing(
    system: str, measure: str, against: str, margin: float, reason: str, published: float | None = None
) -> Verdict:
    """One of which nothing can be said, and why."""
    return Verdict(
        system=system,
        measure=measure,
        against=against,
        published=published,
        found=None,
        difference=None,
        low=None,
        high=None,
        margin=margin,
        n=0,
        word=CANNOT_SAY,
        reason=reason,
    )
