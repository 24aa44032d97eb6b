"""What the published numbers mean, in a sentence each."""

from __future__ import annotations

from collections.abc import Iterable

MEANINGS = {
    "accuracy": "share of answers that are right; where nothing is to be found, saying so is right",
    "exact_match": "share of answers that are a reference word for word, after SQuAD's normalisation",
    "format_adherence": "share of answers that parse and validate as they stand, over all attempts, without repair",
    "hallucination_rate": "share of answers that assert something untrue of the reference world, over all answers",
    "unfaithful_rate": "share of answers that assert something the passages shown do not bear out",
    "accepted": "share of answers that are right, well formed, and borne out",
    "stale_rate": "share of answers that give a value which is no longer so",
    "leak_rate": "share of answers that tell somebody what is not for them",
    "ndcg_at_10": "how far up the relevant documents stand among the first ten, 1 at best (nDCG@10)",
    "recall_at_10": "share of the relevant documents that are among the first ten",
    "recall_at_5": "share of the relevant documents that are among the first five",
    "recall_at_1": "share of the relevant documents that stand first",
    "success_at_5": "share of questions whose evidence is all among the first five",
    "mrr": "one over the rank of the first relevant document, on average",
    "latency_e2e_p50": "median time from when a question was due until its whole answer was there",
    "cost_per_call": "what 1,000 calls cost on the machine named, without training or indexing",
}


def meanings(measures: Iterable[str]) -> list[tuple[str, str]]:
    """Label and meaning of those that have one."""
    from bench.reporting.measures import measure, ordered

    return [(measure(name).label, MEANINGS[name]) for name in ordered(measures) if name in MEANINGS]
