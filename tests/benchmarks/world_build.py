"""The company with 100,000 documents at the hardest level: its facts drawn, its documents written, none embedded."""

from __future__ import annotations

import statistics
import time

from bench.world.company import found
from bench.world.documents import LEVELS, documents
from tests.benchmarks.record import Figure, show
from tests.benchmarks.sizing import entities_for

REPEATS = 3
DOCUMENTS = 100_000


def main() -> None:
    level = max(LEVELS)
    entities = entities_for(DOCUMENTS, lambda pilot: len(documents(found(REPEATS, pilot), level)))
    drawing, writing = [], []
    for seed in range(REPEATS):  # a seed of its own each time, since companies are kept
        started = time.perf_counter()
        company = found(seed, entities)
        drawn = time.perf_counter()
        written = documents(company, level)
        drawing.append(drawn - started)
        writing.append(time.perf_counter() - drawn)
    show(
        "world_build",
        REPEATS,
        [
            Figure("time", statistics.median(map(sum, zip(drawing, writing, strict=True))), "s", "< 60"),
            Figure("facts drawn", statistics.median(drawing), "s"),
            Figure("documents written", statistics.median(writing), "s"),
            Figure("documents", len(written), "count", f">= {DOCUMENTS}"),
            Figure("entities", entities, "count"),
            Figure("facts", len(company.facts), "count"),
            Figure("words", sum(len(document.text.split()) for document in written), "count"),
            Figure("level of difficulty", level, "level"),
        ],
    )


if __name__ == "__main__":
    main()
