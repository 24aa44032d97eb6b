"""What a benchmark prints: its figures, each with its target and whether it holds."""

from __future__ import annotations

import json
import operator
from dataclasses import asdict, dataclass
from datetime import date

from bench.workspace import hardware

RELATIONS = {"<=": operator.le, "<": operator.lt, "=": operator.eq, ">=": operator.ge}


@dataclass(frozen=True)
class Figure:
    """One measured number. ``target`` is a relation and a bound, as ``<= 1.05``; empty: for information."""

    name: str
    value: float
    unit: str
    target: str = ""

    @property
    def holds(self) -> bool | None:
        if not self.target:
            return None
        relation, bound = self.target.split()
        return bool(RELATIONS[relation](self.value, float(bound)))


def show(name: str, repeats: int, figures: list[Figure]) -> None:
    """Print the benchmark's object on the last line."""
    rows = [{**asdict(figure), "holds": figure.holds} for figure in figures]
    about = {"name": name, "date": date.today().isoformat(), "machine": hardware(), "repeats": repeats}
    print(json.dumps({**about, "figures": rows}))
