"""``published.yaml``: what is claimed, within which margins, and what others published; a person writes it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.metrics.declared import metric
from bench.metrics.fold import FoldMetric
from bench.reporting.measures import measure
from systems.base import UserError

FILE = "published.yaml"
QUANTILE = 1.959963984540054
"""Of the normal distribution, for intervals at 95 %."""
HARDWARE_BOUND = ("latency_", "ttft", "tpot", "itl", "throughput", "goodput", "tokens_per_second", "cost_per_")
"""How measures begin that another machine changes. Their margins are of the ratio: 0.25 is a factor of 1.25."""


def hardware_bound(measure: str) -> bool:
    """Whether a measure says as much of the machine as of the system."""
    return measure.startswith(HARDWARE_BOUND)


def in_words(measure: str, margin: float) -> str:
    """A margin as people read it."""
    return f"×/÷ {1 + margin:g}" if hardware_bound(measure) else f"±{margin:g}"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number that somebody else published."""

    system: str
    """Which system of ours it is held against."""
    measure: str
    value: float
    margin: float
    """The largest difference that counts as the same."""
    source: str
    n: int | None = None
    """Samples it was taken on; ``None``: not known."""
    interval: Sequence[float] | None = None
    """Its ends at 95 %, where its source tells them."""
    same_samples: bool = False
    """Taken on these very samples, all of them, without chance: its difference is known, and not estimated."""

    def __post_init__(self) -> None:
        where = f"figure of {self.system}, {self.measure}"
        low, high = self.interval or (0.0, 1.0)
        if not low <= self.value <= high:
            raise UserError(f"{where}: value: {self.value}: must lie in its interval, or in 0 to 1")
        if self.n is not None and not (isinstance(self.n, int) and self.n > 0):
            raise UserError(f"{where}: n: {self.n}: must be a number of samples, or null where it is not known")

    @property
    def error(self) -> float | None:
        """Its standard error, by its interval or as that of a share; ``None`` where neither is known."""
        if self.interval is not None:
            return (self.interval[1] - self.interval[0]) / (2 * QUANTILE)
        return None if self.n is None else math.sqrt(self.value * (1 - self.value) / self.n)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What one directory of ``results/published`` stands for."""

    title: str
    about: str
    experiment: str
    seeds: tuple[int, ...] = (0,)
    margins: Mapping[str, float] = field(default_factory=dict)
    """Measure → the largest difference that counts as the same."""
    figures: tuple[Figure, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    """Setting that whoever reproduces it has to give → what it is."""

    def __post_init__(self) -> None:
        for name, margin in [*self.margins.items(), *((one.measure, one.margin) for one in self.figures)]:
            if not isinstance(margin, int | float) or not 0 < margin < math.inf:
                raise UserError(f"margin of {name}: {margin}: must be above 0")

    @property
    def quality(self) -> list[str]:
        """Measures that are held to the published ones sample by sample."""
        return [name for name in self.margins if not hardware_bound(name)]


def read_claim(place: Path) -> Claim:
    """The claim of a directory. Raises ``UserError`` with its first mistake."""
    import yaml

    path = place / FILE
    if not path.is_file():
        raise UserError(f"{path}: no such file; `ls {place.parent}` shows what is published")
    try:
        return _claim(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, TypeError, ValueError, UserError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split()).replace('Claim.__init__() ', '')}") from None


def _claim(data: Any) -> Claim:
    if not isinstance(data, dict):
        raise UserError("must be a mapping, as the others beside it")
    seeds = data.get("seeds")
    if not isinstance(seeds, list) or not all(isinstance(one, int) for one in seeds):
        raise UserError(f"seeds: {seeds}: must be a list of whole numbers")
    for name, kind, words in (("margins", dict, "mapping"), ("needs", dict, "mapping"), ("figures", list, "list")):
        if not isinstance(data.get(name, kind()), kind):
            raise UserError(f"{name}: must be a {words}")
    claim = Claim(**{**data, "seeds": tuple(seeds), "figures": tuple(Figure(**row) for row in data.get("figures", []))})
    for name in dict.fromkeys([*claim.margins, *(figure.measure for figure in claim.figures)]):
        _check_measure(name)
    return claim


def _check_measure(name: str) -> None:
    """A mistyped measure would be held to nothing."""
    if hardware_bound(name):
        if measure(name).group not in ("Latency", "Cost"):
            raise UserError(f"margin of {name}: no such measure of latency, throughput or cost")
    elif isinstance(metric(name), FoldMetric):
        raise UserError(f"margin of {name}: is no mean over samples, so no sample can be held to its published value")


def write_claim(place: Path, claim: Claim) -> None:
    """A claim that nobody wrote before, to be edited."""
    import yaml

    data = dataclasses.asdict(claim) | {"seeds": list(claim.seeds), "figures": [vars(one) for one in claim.figures]}
    head = (
        "# What is claimed, and how near a later run has to come; margins are the largest differences that are none.\n"
    )
    (place / FILE).write_text(head + yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
