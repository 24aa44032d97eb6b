"""The table of a system's samples: a row per answer, with its scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.records import Prediction, Sample, Score
from bench.tracking.privacy import cleared, without_secrets
from bench.workspace import Workspace

Samples = Literal["none", "redacted", "full"]
"""What of the samples leaves this machine: nothing, ids and scores without any text, everything."""


@dataclass(frozen=True)
class SampleRows:
    """A run's samples, answers and scores, joined."""

    samples: Mapping[tuple[str, str], Sample]
    predictions: Sequence[Prediction]
    scores: Mapping[tuple[str, str, str, int], Sequence[Score]]

    @classmethod
    def read(cls, workspace: Workspace) -> SampleRows:
        """All of a run."""
        scores: dict[tuple[str, str, str, int], list[Score]] = {}
        for score in workspace.read_scores():
            scores.setdefault((score.system, score.task, score.sample, score.repeat), []).append(score)
        samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
        return cls(samples, workspace.read_predictions(), scores)

    def rows(self, system: str, *, texts: bool) -> Iterator[dict[str, Any]]:
        """Rows of equal columns. ``texts``: with questions, answers and references; a right answer is its reference,
        and the question of an extraction holds it, so without them all three stay away."""
        metrics = sorted({score.metric for found in self.scores.values() for score in found})
        for one in self.predictions:
            if one.system != system:
                continue
            sample = self.samples[one.task, one.sample]
            values = {score.metric: score.value for score in self.scores.get(_key(one), ())}
            row: dict[str, Any] = {"task": one.task, "sample": one.sample, "repeat": one.repeat}
            if texts:
                reference = json.dumps(sample.reference, ensure_ascii=False)
                row |= without_secrets({"query": sample.query.text, "answer": one.text, "reference": reference})
            # What a server says of an error may quote the question: its kind comes first.
            error = one.error or ""
            row["error"] = cleared(error if texts else error.partition(":")[0][:80])
            row |= {"finish_reason": one.finish_reason, "tokens_in": one.tokens_in, "tokens_out": one.tokens_out}
            yield row | {metric: values.get(metric) for metric in metrics}


def _key(one: Prediction) -> tuple[str, str, str, int]:
    return one.system, one.task, one.sample, one.repeat
