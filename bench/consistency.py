"""Whether two systems answer alike, right or wrong: what a change of prompt or retrieval leaves as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.metrics.abstention import is_abstention
from bench.metrics.json_text import NotJson, parse, same
from bench.metrics.references import answer_kind, same_label
from bench.metrics.text import normalise, plain
from bench.records import Prediction, Sample
from bench.shares import cluster, share


def alike(sample: Sample, one: Prediction, two: Prediction) -> bool:
    """Whether two answers to a sample say the same in the form it asks for; a failed call says nothing.

    Two abstentions are alike. Labels are compared but for case, JSON by value, other answers by SQuAD's normalisation
    without citations.
    """
    if one.error is not None or two.error is not None:
        return False
    declined = is_abstention(one.text), is_abstention(two.text)
    if any(declined):
        return all(declined)
    if answer_kind(sample) == "label":
        return same_label(one.text, two.text)
    if answer_kind(sample) == "json":
        try:
            return bool(same(parse(one.text), parse(two.text)))
        except NotJson:
            pass  # malformed, so compared as text
    return normalise(plain(one.text)) == normalise(plain(two.text))


def agreement(
    samples: Sequence[Sample], predictions: Sequence[Prediction], variants: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Per variant: of which system it is one, what it ``differs_in``, and the share of answers ``alike``.

    Over all answers of the suite, each weighing the same, and for each of the ``tasks``.
    """
    by_id = {(sample.task, sample.id): sample for sample in samples}
    by_key = {one.key: one for one in predictions}
    result: dict[str, Any] = {}
    for system, about in variants.items():
        pairs: dict[str, list[tuple[bool, str]]] = {sample.task: [] for sample in samples}
        for key, one in by_key.items():
            other = by_key.get(replace(key, system=about["of"]))
            if key.system == system and other is not None:
                sample = by_id[key.task, key.sample]
                pairs[key.task].append((alike(sample, one, other), cluster(sample)))
        everything = [pair for found in pairs.values() for pair in found]
        result[system] = {
            **about,
            "alike": _share(everything),
            "tasks": {task: _share(found) for task, found in pairs.items() if found},
        }
    return result


def _share(pairs: Sequence[tuple[bool, str]]) -> dict[str, Any]:
    return share([value for value, _ in pairs], [name for _, name in pairs]).to_json()
