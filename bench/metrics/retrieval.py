"""Retrieval measures over labelled relevance, as trec_eval defines them; nDCG alone reads grades (tag ``grades``).

Where documents are labelled, a document counts at the rank of its best chunk, and its other chunks count nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bench.metrics.base import UNIT_RANGE, Value
from bench.records import Prediction, Sample

Level = Literal["document", "chunk"]


def first_ranks(ranking: Sequence[str], relevant: Sequence[str]) -> dict[str, int]:
    """Relevant id → the 1-based rank at which it first stands, ascending; ids not found are left out."""
    wanted, best = set(relevant), dict[str, int]()
    for rank, name in enumerate(ranking, 1):
        if name in wanted:
            best.setdefault(name, rank)
    return best


def recall(ranks: Mapping[str, int], relevant: int, depth: int) -> float:
    """Share of the relevant found within the first ``depth`` ranks."""
    return sum(rank <= depth for rank in ranks.values()) / relevant


def of_retrieval(name: str) -> bool:
    """Whether a measure looks at what was found alone, and not at what was answered."""
    return name.startswith(("recall_at_", "success_at_", "ndcg_at_")) or name in ("mrr", "retrieval_leak_rate")


def ndcg(ranks: Mapping[str, int], grades: Mapping[str, float], depth: int) -> float:
    """Discounted gain within ``depth`` over that of the best ranking possible (Järvelin and Kekäläinen 2002).

    A grade is its own gain, as in trec_eval's ``ndcg_cut``. ``grades``: of all that is relevant, each above 0.
    """
    gain = sum(grades[name] / math.log2(rank + 1) for name, rank in ranks.items() if rank <= depth)
    best = sorted(grades.values(), reverse=True)[:depth]
    return gain / sum(grade / math.log2(rank + 1) for rank, grade in enumerate(best, 1))


def _ranks(sample: Sample, prediction: Prediction, level: Level) -> dict[str, int] | None:
    """Ranks, ascending, of what is relevant; ``None`` where nothing is labelled or the system does not retrieve.

    A system that searched (its timings say so) and found nothing did retrieve: it scores 0.
    """
    if not sample.relevant or not prediction.retrieves:
        return None
    ranking = prediction.retrieved_documents if level == "document" else prediction.retrieved
    return first_ranks(ranking, sample.relevant)


@dataclass(frozen=True)
class Recall:
    """recall@depth."""

    depth: int
    level: Level = "document"
    unit: str = "mean"
    bounds: ClassVar = UNIT_RANGE
    higher_is_better: bool = True

    @property
    def name(self) -> str:
        return f"recall_at_{self.depth}"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        ranks = _ranks(sample, prediction, self.level)
        return Value(None if ranks is None else recall(ranks, len(set(sample.relevant)), self.depth))


@dataclass(frozen=True)
class Success:
    """success@depth: share of queries with *all* required evidence within the first ranks (the gate)."""

    depth: int = 5
    level: Level = "document"
    unit: str = "share"
    higher_is_better: bool = True

    @property
    def name(self) -> str:
        return f"success_at_{self.depth}"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        ranks = _ranks(sample, prediction, self.level)
        return Value(None if ranks is None else float(recall(ranks, len(set(sample.relevant)), self.depth) == 1))


@dataclass(frozen=True)
class ReciprocalRank:
    """MRR: 1 over the rank of the first relevant one, 0 where none was found."""

    level: Level = "document"
    name: str = "mrr"
    unit: str = "mean"
    bounds: ClassVar = UNIT_RANGE
    higher_is_better: bool = True

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        ranks = _ranks(sample, prediction, self.level)
        return Value(None if ranks is None else (1 / min(ranks.values()) if ranks else 0.0))


@dataclass(frozen=True)
class NDCG:
    """nDCG@depth."""

    depth: int = 10
    level: Level = "document"
    unit: str = "mean"
    bounds: ClassVar = UNIT_RANGE
    higher_is_better: bool = True

    @property
    def name(self) -> str:
        return f"ndcg_at_{self.depth}"

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        ranks = _ranks(sample, prediction, self.level)
        grades = dict.fromkeys(sample.relevant, 1) | sample.tags.get("grades", {})
        return Value(None if ranks is None else ndcg(ranks, grades, self.depth))
