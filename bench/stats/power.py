"""The smallest true difference a comparison could have been expected to find: 80 % power, 5 % two-sided."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import bdtr, bdtrik, betaincinv, gammaln, ndtri, stdtrit, xlog1py, xlogy

LEVEL = 0.05
POWER = 0.80
Z_LEVEL = float(-ndtri(LEVEL / 2))
Z_POWER = float(ndtri(POWER))

DECISIVE = 6
"""The fewest discordant pairs with which the exact McNemar test can reach p < 0.05: 2 · 0.5⁶ = 0.031. The sign flips of
clusters need as many clusters that differ."""
NEGLIGIBLE = 1e-7
"""Chance of the numbers of discordant pairs that are left out at either end."""


def mcnemar_power(n: int, discordance: float, difference: float) -> float:
    """Chance that the exact McNemar test gives p < 0.05 for ``n`` pairs.

    ``discordance``: chance that a pair is discordant; ``difference``: of the two shares, at most that. Summed over the
    number of discordant pairs, which is binomial, and over how they split, which is binomial too (Miettinen 1968).
    """
    if not 0 <= difference <= discordance <= 1:
        raise ValueError(f"mcnemar_power: needs 0 <= difference {difference} <= discordance {discordance} <= 1")
    if discordance == 0:
        return 0.0
    pairs, chances, critical = _discordant_pairs(n, discordance)
    toward = min(1.0, (1 + difference / discordance) / 2)
    # k is critical where at most k discordant pairs on either side give p < 0.05; B(m, p) >= m − k is B(m, 1 − p) <= k.
    found = bdtr(critical, pairs, 1 - toward) + bdtr(critical, pairs, toward)
    return float(np.sum(chances * found))


@lru_cache(maxsize=256)
def _discordant_pairs(n: int, discordance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of discordant pairs that can decide, their chances, and the most pairs on the lesser side that do."""
    ends = np.clip(bdtrik([NEGLIGIBLE, 1 - NEGLIGIBLE], n, discordance), 0, n) if discordance < 1 else np.array([n, n])
    pairs = np.arange(max(DECISIVE, int(ends[0])), int(np.ceil(ends[1])) + 1)
    logs = gammaln(n + 1) - gammaln(pairs + 1) - gammaln(n - pairs + 1)
    chances = np.exp(logs + xlogy(pairs, discordance) + xlog1py(n - pairs, -discordance))
    critical = np.floor(bdtrik(LEVEL / 2, pairs, 0.5)) + 1
    while np.any(beyond := bdtr(critical, pairs, 0.5) >= LEVEL / 2):
        critical = critical - beyond
    return pairs, chances, critical


@lru_cache(maxsize=100_000)
def minimum_detectable_effect_paired(n: int, discordance: float) -> float | None:
    """Difference of two paired shares that the exact McNemar test finds with 80 % power at 5 %, two-sided.

    Solves ``mcnemar_power`` for the difference, given the share of discordant pairs, which it cannot exceed. Where that
    share is too small for any difference to be found (or was 0 in the data, which does not prove it 0), the answer is
    the difference δ at which all discordance goes one way and the test still has 80 % power: P(B(n, δ) >= 6) = 0.8.
    ``None``: fewer than 6 pairs find nothing.
    """
    from scipy.optimize import brentq

    if not 0 <= discordance <= 1:
        raise ValueError(f"discordance {discordance}: a share, 0 to 1")
    if n < DECISIVE:
        return None
    # P(B(n, δ) >= k) is the distribution function of Beta(k, n − k + 1) at δ.
    floor = float(betaincinv(DECISIVE, n - DECISIVE + 1, POWER))
    if discordance <= floor or mcnemar_power(n, discordance, discordance) <= POWER:
        return floor
    return float(brentq(lambda one: mcnemar_power(n, discordance, one) - POWER, 0.0, discordance, xtol=1e-6))


def minimum_detectable_effect(standard_error: float, clusters: float) -> float | None:
    """Difference found with 80 % power at 5 %, two-sided, from the standard error of the paired difference.

    (t(α/2) + t(β)) · SE with clusters − 1 degrees of freedom (Miller, arXiv 2411.00640, with Student's for
    normal quantiles). ``clusters`` may be an effective number, infinite where the error is known. ``None`` without at
    least two clusters or without any spread to judge by.
    """
    if clusters < 2 or not standard_error > 0:
        return None
    if np.isinf(clusters):
        return (Z_LEVEL + Z_POWER) * standard_error
    return float(stdtrit(clusters - 1, 1 - LEVEL / 2) + stdtrit(clusters - 1, POWER)) * standard_error
