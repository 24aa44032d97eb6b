"""What the report knows of each measure: its name in words, its group, and which direction is better."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bench.metrics.declared import metric
from systems.base import UserError

Better = Literal["higher", "lower"]
GROUPS = (
    "Answers",
    "Format",
    "Hallucination",
    "Abstention",
    "Currency and permissions",
    "Retrieval and citations",
    "Latency",
    "Cost",
    "Other",
)


@dataclass(frozen=True)
class Measure:
    """A measure as a reader meets it."""

    name: str
    label: str
    group: str
    better: Better | None
    """``None``: more is neither better nor worse, so nothing is ever marked best."""
    scale: float = 1.0
    """Numbers are shown times this: money for 1,000 calls, where one call costs a fraction of a cent."""


_HIGHER: tuple[tuple[str, str, str], ...] = (
    ("accuracy", "accuracy", "Answers"),
    ("exact_match", "exact match", "Answers"),
    ("token_f1", "token F1", "Answers"),
    ("macro_f1", "macro F1", "Answers"),
    ("field_accuracy", "field accuracy", "Answers"),
    ("field_accuracy_valid", "field accuracy, valid answers", "Answers"),
    ("out_of_scope_recall", "out-of-scope recall", "Answers"),
    ("accepted", "accepted answers", "Answers"),
    ("correct_rate", "outcome: correct", "Answers"),
    ("consistency:agreement", "agreement across wordings", "Answers"),
    ("coverage", "values kept in summaries", "Answers"),
    ("format_adherence", "format adherence", "Format"),
    ("rules_followed", "rule adherence", "Format"),
    ("rule_share", "rule adherence, rule by rule", "Format"),
    ("abstention_recall", "abstention recall", "Abstention"),
    ("success_at_5", "success@5", "Retrieval and citations"),
    ("recall_at_1", "recall@1", "Retrieval and citations"),
    ("recall_at_5", "recall@5", "Retrieval and citations"),
    ("recall_at_10", "recall@10", "Retrieval and citations"),
    ("ndcg_at_10", "nDCG@10", "Retrieval and citations"),
    ("mrr", "MRR", "Retrieval and citations"),
    ("citation_precision", "citation precision", "Retrieval and citations"),
    ("citation_recall", "citation recall", "Retrieval and citations"),
    ("throughput", "throughput", "Latency"),
    ("goodput", "goodput", "Latency"),
    ("tokens_per_second", "tokens per second", "Latency"),
    ("level_attained", "kept the service level", "Latency"),
    ("cache_hit_share", "prompt tokens from the prefix cache", "Latency"),
    ("well_formed_under_load", "format adherence under load", "Latency"),
)
_LOWER: tuple[tuple[str, str, str], ...] = (
    ("incorrect_rate", "outcome: incorrect", "Answers"),
    ("failed_rate", "outcome: failed", "Answers"),
    ("hallucination_rate", "hallucination rate", "Hallucination"),
    ("hallucination_rate_attempted", "hallucination rate, attempted answers", "Hallucination"),
    ("unfaithful_rate", "unfaithfulness to the passages", "Hallucination"),
    ("unfaithful_rate_attempted", "unfaithful, attempted answers", "Hallucination"),
    ("false_refusal_rate", "false refusals", "Abstention"),
    ("stale_rate", "stale answers", "Currency and permissions"),
    ("leak_rate", "leaks in answers", "Currency and permissions"),
    ("retrieval_leak_rate", "leaks in retrieval", "Currency and permissions"),
    ("error_rate", "failed calls", "Latency"),
    ("timeout_rate", "time-outs", "Latency"),
    ("unaccounted_share", "time that no stage accounts for", "Latency"),
    ("cost_per_call", "cost per 1,000 calls", "Cost"),
    ("cost_per_accepted_answer", "cost per 1,000 accepted answers", "Cost"),
    ("retries_per_call", "format retries, per 1,000 calls", "Cost"),
)
_NEUTRAL: tuple[tuple[str, str, str], ...] = (
    ("abstained_rate", "outcome: abstained", "Answers"),
    ("self_knowledge_rate", "true without support in the passages", "Hallucination"),
    ("format_repaired", "parsed after repair", "Format"),
    ("rules_followed_loose", "all rules followed loosely", "Format"),
    ("rule_share_loose", "rules followed loosely", "Format"),
    ("tokens_in", "tokens in", "Cost"),
    ("tokens_out", "tokens out", "Cost"),
    ("training", "one training", "Cost"),
    ("indexing", "one indexing", "Cost"),
    ("refresh_per_update", "refresh, per update", "Cost"),
    ("fixed_per_month", "fixed, per month", "Cost"),
)
_TABLES: tuple[tuple[tuple[tuple[str, str, str], ...], Better | None], ...] = (
    (_HIGHER, "higher"),
    (_LOWER, "lower"),
    (_NEUTRAL, None),
)
_KNOWN: dict[str, Measure] = {
    name: Measure(name, label, group, better, 1000.0 if group == "Cost" and better == "lower" else 1.0)
    for table, better in _TABLES
    for name, label, group in table
}
_TIMED = re.compile(r"(latency_e2e|e2e|ttft|tpot|itl|stage_\w+?)(?:_(p\d+|mean))?")
_TIMED_LABELS = {
    "latency_e2e": "end to end",
    "e2e": "end to end",
    "ttft": "time to first token",
    "tpot": "time per output token",
    "itl": "time between tokens",
}

PRIMARY = (
    *("accuracy", "macro_f1", "exact_match", "field_accuracy", "token_f1"),
    *("format_adherence", "rules_followed", "accepted"),
)
"""Which measure speaks for a task or a run: the first of these that it has."""


def measure(name: str) -> Measure:
    """The measure of this name. Another metric's label is its name, and its direction what its class says."""
    if name in _KNOWN:
        return _KNOWN[name]
    if found := _TIMED.fullmatch(name):
        stem, percentile = found.groups()
        label = _TIMED_LABELS.get(stem, stem.removeprefix("stage_") + " stage")
        return Measure(name, f"{label}, {percentile}" if percentile else label, "Latency", "lower")
    try:
        better: Better | None = "higher" if metric(name).higher_is_better else "lower"
    except UserError:
        better = None  # of a run made elsewhere, by a metric that is not here
    return Measure(name, name.replace("_", " "), "Other", better)


def listed(name: str) -> bool:
    """Whether the report knows the measure by itself; another is one that somebody added."""
    return name in _KNOWN or name.startswith("claims_")


def ordered(names: Iterable[str]) -> list[str]:
    """Names in reading order: by group, then as listed above, then by percentile and name."""
    known = list(_KNOWN)

    def place(name: str) -> tuple[int, int, str, int]:
        percentile = re.search(r"_p(\d+)$", name)
        stem = name[: percentile.start()] if percentile else name
        index = known.index(name) if name in _KNOWN else len(known)
        timed = next((i for i, start in enumerate(_TIMED_LABELS) if stem == start), len(_TIMED_LABELS))
        if percentile:
            index = timed - len(_TIMED_LABELS)
        return GROUPS.index(measure(name).group), index, stem, int(percentile[1]) if percentile else 0

    return sorted(set(names), key=place)


def modes(measures: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A system's estimates of a measure as they are shown (see ``Measure.scale``), the one to quote first."""
    value = measures.get(name)
    found = value if isinstance(value, list) else [] if value is None else [value]
    return [_scaled(estimate, measure(name).scale) for estimate in found]


def _scaled(estimate: Mapping[str, Any], scale: float) -> Mapping[str, Any]:
    if scale == 1:
        return estimate
    ends = {
        key: estimate[key] if estimate[key] is None else estimate[key] * scale for key in ("estimate", "low", "high")
    }
    # The label says for how many: a unit per call would contradict it.
    return {**estimate, **ends, "unit": re.sub(r" per (call|accepted answer)$", "", str(estimate.get("unit", "")))}


def quoted(measures: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The estimate to quote of a measure, or ``None`` where the system has none."""
    found = modes(measures, name)
    return found[0] if found else None


def primary(*measured: Mapping[str, Any]) -> str | None:
    """The measure that speaks for these systems: the first of ``PRIMARY`` that any of them has."""

    def taken(measures: Mapping[str, Any], name: str) -> bool:
        found = quoted(measures, name)
        return found is not None and found["estimate"] is not None

    return next((name for name in PRIMARY if any(taken(measures, name) for measures in measured)), None)
