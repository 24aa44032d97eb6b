"""Retrieval metrics against trec_eval's own output, over all queries and query by query, to its four decimals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.metrics.retrieval import NDCG, Recall, ReciprocalRank
from tests.metrics.making import prediction, sample
from tests.oracles.row import Row, same

METRICS = {
    "recall_1": Recall(1), "recall_5": Recall(5), "recall_10": Recall(10),
    "recip_rank": ReciprocalRank(), "ndcg_cut_5": NDCG(5), "ndcg_cut_10": NDCG(10),
}  # fmt: skip
"""By the names that trec_eval has for them."""


def measured(ranking: Sequence[str], relevant: Sequence[str] | Mapping[str, int]) -> dict[str, float]:
    """Every metric of one query, whose ranking is of documents; ``relevant``: with their grades, if they have some."""
    answer = prediction("", retrieved=tuple(ranking), retrieved_documents=tuple(ranking))
    tags = {"grades": relevant} if isinstance(relevant, Mapping) else {}
    made = sample(relevant=tuple(relevant), tags=tags)
    return {name: metric.score(made, answer, {}).value or 0.0 for name, metric in METRICS.items()}


def trec_rows(folder: Path) -> Iterator[Row]:
    """Its test run: the means of ``out.test`` and ``out.test.aq``, and each query's values out of the latter."""
    relevant, run = defaultdict(list), defaultdict(list)
    for query, _, document, grade in _fields(folder / "qrels.test"):
        if int(grade) > 0:
            relevant[query].append(document)
    for query, _, document, _, value, _ in _fields(folder / "results.test"):
        run[query].append((float(value), document))
    found = {
        query: measured([document for _, document in sorted(scored, reverse=True)], relevant[query])
        for query, scored in run.items()
    }
    overall = {name: value for name, _, value in _fields(folder / "out.test")}
    by_query = {(name, query): value for name, query, value in _fields(folder / "out.test.aq")}
    for name in METRICS:
        expected = overall.get(name, by_query.get((name, "all")))
        if expected is not None:
            got = sum(values[name] for values in found.values()) / len(found)
            yield same("trec_eval", f"{name} over all queries", expected, f"{got:.4f}")
    compared = {
        (name, query): f"{found[query][name]:.4f}" for name, query in by_query if query in found and name in METRICS
    }
    right = sum(by_query[key] == value for key, value in compared.items())
    of = f"{len(compared)} values"
    yield same("trec_eval", f"{len(found)} queries one by one, to four decimals", of, f"{right} values")


def _fields(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield line.split()
