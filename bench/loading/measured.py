"""The journal of a load: which cells are whole, and their requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from bench.loading.records import Cell, Request
from bench.loading.service import ServiceLevel

Line = Mapping[str, Any]


class Search(NamedTuple):
    """One search for the highest rate that keeps the service level."""

    system: str
    weights: str
    cache: str
    number: int


class Whole:
    """Cells that were measured from beginning to end. One that was cut short is as if it had not been."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._begun: dict[int, Cell] = {}
        self._open: dict[int, list[Line]] = {}
        self._requests: dict[Cell, list[Line]] = {}
        self._ends: dict[Cell, Line] = {}
        for line in lines:
            self.take(line)

    def take(self, line: Line) -> None:
        """The next line of the journal: a cell's beginning, one of its requests, or its end."""
        number = line["cell"]
        if line["kind"] == "begin":
            self._begun[number] = Cell(**line["what"])
            self._open[number] = []
        elif line["kind"] == "request":
            self._open[number].append(line)
        else:
            cell = self._begun[number]
            self._requests[cell] = self._open.pop(number)
            self._ends[cell] = line

    def begin(self, cell: Cell) -> Line:
        """The line that goes before a cell's requests; it gives the cell its number in the journal."""
        return {"kind": "begin", "cell": len(self._begun), "what": asdict(cell)}

    def __contains__(self, cell: Cell) -> bool:
        return cell in self._ends

    def requests(self, cell: Cell) -> list[Line]:
        """The measured requests of a whole cell."""
        return [line for line in self._requests[cell] if line["measured"]]

    def everyone(self, cell: Cell) -> list[Line]:
        """All requests of a whole cell, those that warmed up among them."""
        return self._requests[cell]

    def ended(self, cell: Cell) -> Line:
        """The line that ended it: what the machine did meanwhile."""
        return self._ends[cell]

    def cells(self) -> list[Cell]:
        """All that are whole, in the order in which they ended."""
        return list(self._ends)

    def cut_short(self) -> list[Cell]:
        """Cells that were begun, never ended, and not measured again since."""
        return [cell for number, cell in self._begun.items() if number in self._open and cell not in self._ends]

    def searches(self, level: ServiceLevel) -> dict[Search, dict[float, bool]]:
        """Which rates each search for goodput has tried, and whether the level was kept."""
        found: dict[Search, dict[float, bool]] = {}
        for cell in self._ends:
            if cell.search and cell.rate is not None:
                tried = found.setdefault(Search(cell.system, cell.weights, cell.cache, cell.block), {})
                tried[cell.rate] = level.attained(self.requests(cell)) >= level.share
        return found


def request(begun: Line, record: Request) -> Line:
    """The line of a request."""
    return {"kind": "request", "cell": begun["cell"], **record.line()}


def end(begun: Line, **found: Any) -> Line:
    """The line after a cell's last request."""
    return {"kind": "end", "cell": begun["cell"], **found}
