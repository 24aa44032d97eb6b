"""The numbers on the pocket model's card: ``python -m bench.pocket.measure RUN_DIR`` on a run of ``pocket_card``.

Reads a finished run; prints a Markdown table. *Read* counts only questions whose passages hold the answer,
so that the retriever's misses are not the model's.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.metrics.abstention import is_abstention
from bench.metrics.text import contains
from bench.records import Prediction, Sample
from bench.stats import cluster_bootstrap
from bench.workspace import Workspace
from systems.base import UserError

Pair = tuple[Sample, Prediction]


@dataclass(frozen=True)
class Row:
    """One line of the card. Questions on one entity share its documents, so the interval is over entities."""

    name: str
    pairs: Sequence[Pair]
    holds: Callable[[Pair], bool]
    target: str = ""

    def __str__(self) -> str:
        if not self.pairs:
            return f"| {self.name} | – | – | 0 | {self.target} |"
        values = [float(self.holds(pair)) for pair in self.pairs]
        clusters = [sample.cluster or sample.id for sample, _ in self.pairs]
        share = cluster_bootstrap(values, clusters, bounds=(0.0, 1.0))
        ends = (
            f"{100 * share.low:.1f}–{100 * share.high:.1f}" if share.low is not None and share.high is not None else "–"
        )
        return f"| {self.name} | {100 * share.estimate:.1f} % | {ends} | {len(values)} | {self.target} |"


def right(pair: Pair) -> bool:
    """The reference value stands in the answer."""
    sample, prediction = pair
    return sample.reference is not None and contains(prediction.text, str(sample.reference))


def measure(workspace: Workspace) -> list[Row]:
    """All rows, with and without passages."""
    samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
    verdicts = workspace.read_verdicts()
    known = set(workspace.read_manifest().get("documents") or ())
    by_cell: dict[tuple[str, str], list[Pair]] = {}
    for prediction in workspace.read_predictions():
        pair = (samples[prediction.task, prediction.sample], prediction)
        by_cell.setdefault((prediction.system, prediction.task), []).append(pair)
    if ("rag", "facts") not in by_cell or ("prompt", "facts") not in by_cell:
        raise UserError(f"{workspace.path}: needs the systems prompt and rag on the task facts; run pocket_card")

    def holds(pair: Pair) -> list[bool]:
        return list(verdicts.get(_key(pair[1]), {}).get("closed_world", {}).get("holds", []))

    def reads(pair: Pair) -> bool:
        """The value is there, and no other value of its kind beside it."""
        return right(pair) and not verdicts.get(_key(pair[1]), {}).get("closed_world", {}).get("conflicts", 0)

    def cites(pair: Pair) -> bool:
        cited, found = pair[1].citations, holds(pair)
        return bool(cited) and all(1 <= one <= len(found) and found[one - 1] for one in cited)

    asked = by_cell["rag", "facts"]
    shown = [pair for pair in asked if any(holds(pair))]
    read = [pair for pair in shown if reads(pair)]
    unknown = by_cell.get(("rag", "unanswerable"), [])
    rows = [
        Row("answer among the passages shown", asked, lambda pair: any(holds(pair))),
        Row("value read out of four passages", shown, reads, "≥ 90 %, low end > 85 %"),
        Row("cites the passage it used", read, cites),
        Row("says it does not know, when it is not there", unknown, abstains, "≥ 70 %"),
        *(
            Row(f"– {name}", [pair for pair in unknown if (pair[0].tags["entity"] in known) is stated], abstains)
            for name, stated in (("of an entity that has a page", True), ("of one that nobody knows", False))
        ),
        Row("refuses although it is there", shown, abstains, "< 5 %"),
    ]
    return rows + unaided(by_cell["prompt", "facts"])


def abstains(pair: Pair) -> bool:
    """The answer declines."""
    return is_abstention(pair[1].text)


def _key(prediction: Prediction) -> tuple[str, str, str, int]:
    return prediction.system, prediction.task, prediction.sample, prediction.repeat


def unaided(pairs: Sequence[Pair]) -> list[Row]:
    """Without passages, per kind of value, beside a blind guess: the commonest value of that kind."""
    kinds: dict[str, list[Pair]] = {}
    for pair in pairs:
        kinds.setdefault(str(pair[0].tags["value_kind"]), []).append(pair)
    rows = []
    for kind, members in sorted(kinds.items()):
        chance = Counter(str(sample.reference) for sample, _ in members).most_common(1)[0][1] / len(members)
        rows.append(Row(f"without passages: {kind}", members, right, f"chance {100 * chance:.0f} %"))
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
