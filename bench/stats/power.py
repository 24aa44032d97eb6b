"""The smallest true difference a comparison could have been expected to find: 80 % power, 5 % two-sided."""

from __future__ import annotations

import math

from scipy.special import betaincinv, ndtri, stdtrit

LEVEL = 0.05
POWER = 0.80
Z_LEVEL = float(-ndtri(LEVEL / 2))
Z_POWER = float(ndtri(POWER))

DECISIVE = 6
"""The fewest discordant pairs with which the exact McNemar test can reach p < 0.05: 2 · 0.5⁶ = 0.031."""


def minimum_detectable_effect_paired(n: int, discordance: float) -> float | None:
    """Difference of two paired shares that McNemar's test finds with 80 % power at 5 %, two-sided.

    Solves Connor's sample size formula (1987; Miettinen 1968) for δ, given the share ψ of discordant pairs:

        n δ² = (z(α/2) √ψ + z(β) √(ψ − δ²))²

    δ cannot exceed ψ. Where ψ is too small for any δ to be found (or was 0 in the data, which does not prove it 0),
    the answer is the difference at which all discordance goes one way and the exact test still has 80 % power: δ with
    P(B(n, δ) >= 6) = 0.8, which is also the least that any n can find. ``None``: fewer than 6 pairs find nothing.
    """
    if not 0 <= discordance <= 1:
        raise ValueError(f"discordance {discordance}: a share, 0 to 1")
    if n < DECISIVE:
        return None
    # P(B(n, δ) >= k) is the distribution function of Beta(k, n − k + 1) at δ.
    floor = float(betaincinv(DECISIVE, n - DECISIVE + 1, POWER))

    # The formula squared is a quadratic in δ; this is its larger root.
    spread = Z_POWER * math.sqrt(max(0.0, n + Z_POWER**2 - Z_LEVEL**2))
    difference = math.sqrt(discordance) * (Z_LEVEL * math.sqrt(n) + spread) / (n + Z_POWER**2)
    return max(floor, difference) if difference <= discordance else floor


def minimum_detectable_effect(standard_error: float, clusters: int) -> float | None:
    """Difference found with 80 % power at 5 %, two-sided, from the standard error of the paired difference.

    (t(α/2) + t(β)) · SE with clusters − 1 degrees of freedom (Miller, arXiv 2411.00640, with Student's for
    normal quantiles). ``None`` without at least two clusters or without any spread to judge by.
    """
    if clusters < 2 or not standard_error > 0:
        return None
    return float(-stdtrit(clusters - 1, LEVEL / 2) + stdtrit(clusters - 1, POWER)) * standard_error
