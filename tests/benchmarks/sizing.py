"""How large a company has to be: a harder level writes several documents about each entity."""

from __future__ import annotations

import math
from collections.abc import Callable

PILOT = 2000
MARGIN = 1.03
"""Entities differ in how many documents they have: the pilot's mean is about 1 % off."""


def entities_for(wanted: int, count: Callable[[int], int]) -> int:
    """Entities that give at least as many as wanted of what ``count`` counts for a number of entities."""
    return math.ceil(MARGIN * wanted * PILOT / count(PILOT))
