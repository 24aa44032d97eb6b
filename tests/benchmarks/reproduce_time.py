"""What ``bench reproduce`` takes beside the runs it makes: a grid as large as the published one, stub engine."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO

from bench.__main__ import main as bench
from tests.benchmarks.demo import fresh
from tests.benchmarks.record import Figure, show
from tests.benchmarks.watched import watch
from tests.publishing.making import published

SEEDS = (0, 1, 2)
SETTINGS = (
    *("experiment=pocket_full", "engine=stub", "retriever=bm25", "load=none", "tracker=none"),
    # Four systems without training.
    *("systems=context", "~systems.rag_100_tokens", "~systems.rag_200_tokens"),
)


def main() -> None:
    root = fresh()
    runs = {seed: root / f"run-{seed}" for seed in SEEDS}
    for seed, path in runs.items():
        with redirect_stdout(StringIO()):
            assert bench(["run", *SETTINGS, f"seed={seed}", f"run_dir={path}", f"builds_dir={root / 'builds'}"]) == 0
    publication = published(root / "results" / "published" / "stub", runs)
    answers = sum(int(run["planned"]) for run in publication.runs.values())
    again = root / "again"
    seen = watch(["bench", "reproduce", "stub", f"results={root / 'results'}", f"run_dir={again}"])
    told = json.loads((again / "reproduced.json").read_text())
    show(
        "reproduce_time",
        1,
        [
            Figure("beside the runs, from outside", seen.seconds - told["seconds"]["runs"], "s", "< 5"),
            Figure("beside the runs, by its own word", told["seconds"]["own"], "s"),
            Figure("the runs themselves", told["seconds"]["runs"], "s"),
            Figure("answers", answers, "count"),
            Figure("measures not reproduced", sum(v["word"] == "not reproduced" for v in told["verdicts"]), "count"),
        ],
    )


if __name__ == "__main__":
    main()
