"""The picture of the learning curve: ``python -m bench.pocket.curve CURVE.json OUT.png``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

LABELS = {
    "facts": "value and citation out of passages",
    "absent": "says it is not there",
    "json passages": "the same as JSON",
    "json text": "message to JSON",
    "locating": "which passages are about a name",
    "routing": "desk for a message",
    "recall": "value beside a name",
    "copy": "text repeated exactly",
}


def draw(curve: Path, out: Path) -> None:
    """Share of held-out answers that greedy decoding would write exactly, over tokens read."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    points = json.loads(curve.read_text())["curve"]
    figure, axes = plt.subplots(figsize=(9.0, 4.0), dpi=150)
    for skill, label in LABELS.items():
        line = [(point["tokens"] / 1e6, 100 * point["exact"][skill]) for point in points if skill in point["exact"]]
        axes.plot(*zip(*line, strict=True), label=label, linewidth=1.6)
    axes.set(xlabel="tokens read (millions)", ylabel="answers exactly right (%)", ylim=(0, 100), xlim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.tight_layout()
    figure.savefig(out)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
