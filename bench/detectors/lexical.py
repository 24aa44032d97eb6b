"""Words and numbers of an answer that stand neither in its passages nor in the question: a triage signal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bench.detectors.base import Accountable, Case, Verdict, faithfulness_verdict, unjudged
from bench.metrics.outcome import attempted
from bench.metrics.text import plain
from bench.records import Prediction, Sample
from systems.base import Chunk, UserError
from systems.knowledge.sparse import SparseEncoder

WORD = re.compile(r"\w+(?:[.,:'’-]\w+)*")


@dataclass(frozen=True)
class Lexical(Accountable):
    """Counts the different unsupported terms: stop words left out, stemmed as BM25 does.

    Longer answers hold more of them, so it has to beat their length alone (``bench detect FILE`` shows both).
    """

    threshold: float
    """Unfaithful from so many terms on. Paragraphs want about 15 (RAGTruth's, by F1), shorter answers fewer."""
    language: str = "english"
    name: str = "lexical"
    _terms: dict[str, frozenset[int]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.threshold >= 0:
            raise UserError(f"detector.threshold={self.threshold}: must be 0 or more")

    @cached_property
    def _encoder(self) -> SparseEncoder:
        return SparseEncoder(language=self.language)

    def judge(self, sample: Sample, prediction: Prediction, shown: Sequence[Chunk]) -> Verdict | None:
        if not shown or not attempted(prediction):
            return unjudged(Case(sample, prediction, tuple(shown)))
        source = " ".join((sample.query.text, *(f"{chunk.title} {chunk.text}" for chunk in shown)))
        known = frozenset(self._encoder.query(source).indices)
        strange = {word.casefold(): None for word in WORD.findall(plain(prediction.text)) if self._of(word) - known}
        count = len({term for word in strange for term in self._of(word) - known})
        return faithfulness_verdict(count >= self.threshold, count, shown, unsupported=list(strange))

    def _of(self, word: str) -> frozenset[int]:
        """Terms of a word; none for a stop word."""
        if word not in self._terms:
            self._terms[word] = frozenset(self._encoder.query(word).indices)
        return self._terms[word]
