"""The numbers on the pocket model's card: ``python -m bench.pocket.measure RUN_DIR`` on a run of ``pocket_card``.

Reads a finished run; prints a Markdown table. *Read* counts only questions whose passages hold the answer,
so that the retriever's misses are not the model's.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.metrics.abstention import is_abstention
from bench.metrics.text import contains
from bench.records import Prediction, Sample
from bench.stats import wilson
from bench.workspace import Workspace
from systems.base import UserError


@dataclass(frozen=True)
class Row:
    """One line of the card."""

    name: str
    hits: int
    of: int
    target: str

    def __str__(self) -> str:
        if self.of == 0:
            return f"| {self.name} | – | – | 0 | {self.target} |"
        share = wilson(self.hits, self.of)
        assert share.low is not None
        assert share.high is not None
        return (
            f"| {self.name} | {100 * share.estimate:.1f} % | {100 * share.low:.1f}–{100 * share.high:.1f} | "
            f"{self.of} | {self.target} |"
        )


def right(sample: Sample, prediction: Prediction) -> bool:
    """The reference value stands in the answer."""
    return sample.reference is not None and contains(prediction.text, str(sample.reference))


def measure(workspace: Workspace) -> list[Row]:
    """All rows, with and without passages."""
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    verdicts = workspace.read_verdicts()
    by_cell: dict[tuple[str, str], list[tuple[Sample, Prediction]]] = {}
    for prediction in workspace.read_predictions():
        pair = (samples[prediction.task, prediction.sample], prediction)
        by_cell.setdefault((prediction.system, prediction.task), []).append(pair)
    if ("rag", "facts") not in by_cell or ("prompt", "facts") not in by_cell:
        raise UserError(f"{workspace.path}: needs the systems prompt and rag on the task facts; run pocket_card")

    def holds(prediction: Prediction) -> list[bool]:
        key = (prediction.system, prediction.task, prediction.sample, prediction.repeat)
        return list(verdicts.get(key, {}).get("closed_world", {}).get("holds", []))

    shown = [(s, p) for s, p in by_cell["rag", "facts"] if any(holds(p))]
    read = [(s, p) for s, p in shown if right(s, p)]
    cited = [p for _, p in read if p.citations and all(1 <= c <= len(p.shown) and holds(p)[c - 1] for c in p.citations)]
    unknown = by_cell.get(("rag", "unanswerable"), [])
    rows = [
        Row("answer among the passages shown", len(shown), len(by_cell["rag", "facts"]), ""),
        Row("value read out of four passages", len(read), len(shown), "≥ 90 %, low end > 85 %"),
        Row("cites the passage it used", len(cited), len(read), ""),
        Row(
            "says it does not know, when it is not there",
            sum(is_abstention(p.text) for _, p in unknown),
            len(unknown),
            "≥ 70 %",
        ),
        Row("refuses although it is there", sum(is_abstention(p.text) for _, p in shown), len(shown), "< 5 %"),
    ]
    return rows + unaided(by_cell["prompt", "facts"])


def unaided(pairs: Sequence[tuple[Sample, Prediction]]) -> list[Row]:
    """Without passages, per kind of value, beside a blind guess: the commonest value of that kind."""
    kinds: dict[str, list[tuple[Sample, Prediction]]] = {}
    for sample, prediction in pairs:
        kinds.setdefault(str(sample.tags["value_kind"]), []).append((sample, prediction))
    rows = []
    for kind, members in sorted(kinds.items()):
        chance = Counter(str(sample.reference) for sample, _ in members).most_common(1)[0][1] / len(members)
        hits = sum(right(sample, prediction) for sample, prediction in members)
        rows.append(Row(f"without passages: {kind}", hits, len(members), f"chance {100 * chance:.0f} %"))
    return rows


def main(arguments: list[str]) -> int:
    """Print the card's table."""
    if len(arguments) != 1:
        raise UserError("give one run directory of experiment=pocket_card")
    print("| | share | 95 % | of | target |\n|---|---|---|---|---|")
    for row in measure(Workspace(Path(arguments[0]))):
        print(row)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"measure: {error}")
