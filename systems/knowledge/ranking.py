"""The order of what an engine finds: the same in every build of one corpus, whatever order it keeps equal scores in."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from systems.base import Hit
from systems.knowledge.points import Mode, hit

SPARE = 16
"""Asked for beyond a list's depth, so that what shares the last place is seldom cut: one more call costs more."""
SAME = 2e-6
"""Scores as near to each other as this (relative, from a tenth up) are equal: an engine's rounding depends on where in
its storage a point lies, by some 2e-7."""
Ask = Callable[[Mapping[str, int]], Sequence[Sequence[Any]]]
"""List name → limit, to an engine's first points of each list, best first."""
Ranked = list[tuple[int, float]]
"""Ids and scores, best first, equal scores by id: a hash, so that no naming of chunks is favoured."""


def best(ask: Ask, names: Collection[str], mode: Mode, top_k: int, candidates: int | None, rrf_k: int) -> Ranked:
    """What a search finds. ``candidates``: the depth of each list that is fused."""
    if mode == "fused":
        return fused(whole_ties(ask, names, max(candidates or 0, top_k)), rrf_k, top_k)
    (alone,) = whole_ties(ask, names, top_k)
    return alone


def whole_ties(ask: Ask, names: Collection[str], depth: int) -> list[Ranked]:
    """The first ``depth`` of each list.

    An engine cuts equal scores at random, so it is asked for more of a list until those that share its last place are
    all there.
    """
    limits = dict.fromkeys(names, depth + SPARE)
    whole: dict[str, Ranked] = {}
    while limits:
        asked, limits = limits, {}
        for (name, limit), found in zip(asked.items(), ask(asked), strict=True):
            scores = _levelled(found)
            if len(found) == limit and scores[depth - 1] == scores[-1]:
                limits[name] = 4 * limit
            else:
                whole[name] = _ranked(found, scores, depth)
    return [whole[name] for name in names]


def _levelled(found: Sequence[Any]) -> list[float]:
    """The scores of one list, best first; those that are equal but for rounding are all the first of them."""
    levels = []
    before = level = math.inf
    for point in found:
        score = point.score
        if before - score > SAME * max(abs(score), 0.1):
            level = score
        levels.append(level)
        before = score
    return levels


def _ranked(found: Sequence[Any], scores: Sequence[float], depth: int) -> Ranked:
    """An id costs the engine more than a score: none is read of what the depth leaves out."""
    last = scores[depth - 1] if len(scores) > depth else -math.inf
    order = sorted((-score, point.id) for score, point in zip(scores, found, strict=True) if score >= last)
    return [(name, -score) for score, name in order[:depth]]


def fused(lists: Iterable[Ranked], rrf_k: int, top_k: int) -> Ranked:
    """By reciprocal rank fusion (Cormack et al., SIGIR 2009).

    Done here and not by the engine: within a list that has ties its ranks are chance, and so would the scores be, and
    another build of the same corpus would find other chunks.
    """
    scores: dict[int, float] = {}
    for found in lists:
        for rank, (name, _) in enumerate(found, start=rrf_k + 1):
            scores[name] = scores.get(name, 0.0) + 1 / rank
    order = sorted((-score, name) for name, score in scores.items())
    return [(name, -score) for score, name in order[:top_k]]


def hits(best: Ranked, found: Iterable[Any]) -> list[Hit]:
    """``found``: the stored points of the best, in any order."""
    stored = {point.id: point.payload or {} for point in found}
    return [hit(stored[name], score) for name, score in best]
