"""The table of a system's samples: a row per answer, with its scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
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

    def rows(self, system: str, *, texts: bool) -> list[dict[str, Any]]:
        """Rows of equal columns. ``texts``: with questions, answers and references; a right answer is its reference,
        and the question of an extraction holds it, so without them all three stay away, and ``answer_hash`` only says
        which answers to a sample are equal, over systems and runs: who does not have the samples cannot guess at it."""
        metrics = sorted({score.metric for found in self.scores.values() for score in found})
        key = self._key_of_hashes()
        rows, words = [], []
        for one in self.predictions:
            if one.system != system:
                continue
            scores = self.scores.get(_key(one), ())
            outcomes = [score.detail["outcome"] for score in scores if "outcome" in score.detail]
            place = json.dumps([one.task, one.sample, one.text]).encode()
            # What a server says of an error may quote the question: its kind comes first.
            error = one.error or ""
            row = {
                "task": one.task,
                "sample": one.sample,
                "repeat": one.repeat,
                "outcome": outcomes[0] if outcomes else None,
                "error": error if texts else error.partition(":")[0][:80],
                "finish_reason": one.finish_reason,
                "tokens_in": one.tokens_in,
                "tokens_out": one.tokens_out,
                "answer_hash": hashlib.blake2b(place, key=key, digest_size=8).hexdigest(),
            }
            values = {score.metric: score.value for score in scores}
            rows.append(row | {metric: values.get(metric) for metric in metrics})
            if texts:
                sample = self.samples[one.task, one.sample]
                reference = json.dumps(sample.reference, ensure_ascii=False)
                words.append({"query": sample.query.text, "answer": one.text, "reference": reference})
        shown, said = cleared(rows), without_secrets(words)
        return [{**row, **text} for row, text in zip(shown, said, strict=True)] if texts else shown

    def _key_of_hashes(self) -> bytes:
        """Known to whoever has all samples with their references."""
        digest = hashlib.blake2b()
        for sample in sorted(self.samples.values(), key=lambda one: (one.task, one.id)):
            digest.update(json.dumps([sample.task, sample.id, sample.query.text, sample.reference]).encode())
        return digest.digest()


def _key(one: Prediction) -> tuple[str, str, str, int]:
    return one.system, one.task, one.sample, one.repeat
