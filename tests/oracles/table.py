"""Which oracles there are, and the table of what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.oracles import answers, claims, detectors, formats, retrieval, scifact
from tests.oracles.row import Row

Rows = Callable[[Path], Iterator[Row]]


@dataclass(frozen=True)
class Oracle:
    """A folder of third-party data, and the figures that are worked out from it."""

    folder: str
    rows: Rows


def oracles(builds: Path, most: int | None = None) -> dict[str, Oracle]:
    """By the names that the command takes. ``builds`` and ``most``: see ``scifact.SciFact``."""
    return {
        "em": Oracle("openqa_eval", answers.exact_match_rows),
        "people": Oracle("openqa_eval", answers.human_rows),
        "trec": Oracle("trec_eval", retrieval.trec_rows),
        "schema": Oracle("json_schema_test_suite", formats.rows),
        "ragchecker": Oracle("ragchecker", claims.rows),
        "ragtruth": Oracle("ragtruth_qa", detectors.rows),
        "scifact": Oracle("scifact", partial(scifact.rows, builds=builds, most=most)),
    }


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """The table, its columns aligned; what this project itself expects is marked."""
    cells = [("oracle", "what", "expected", "got", "")]
    for row in rows:
        expected = f"{row.expected} (as published here)" if row.own else row.expected
        cells.append((row.oracle, row.what, expected, row.got, "ok" if row.ok else "WRONG"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
