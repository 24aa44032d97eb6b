"""Overlap by n-grams: evaluated questions that stand nearly word for word in another text, with their answer.

Equal questions are found by comparing whole texts (``contamination.py``); this finds those that were edited, wrapped,
or put beside their answer in a page. Wording alone is no contamination: templates share it whatever they ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.metrics.abstention import is_abstention
from bench.metrics.references import spellings
from bench.metrics.text import contains, normalise
from bench.records import Sample

LENGTH = 8
"""Words of an n-gram."""
COVERED = 0.7
"""Share of a question's n-grams from which on a text holds it: with ``LENGTH``, PaLM's definition (Chowdhery et al.
2022, arXiv 2204.02311, section 8)."""
SHORTEST = 5
"""Words of a question from which on its standing in a text is no chance. One shorter than ``LENGTH`` counts whole."""
WORDING = 10
"""An n-gram that comes with more different answers is wording and counts neither way, as GPT-3 leaves out n-grams of
more than ten documents (Brown et al. 2020, arXiv 2005.14165, appendix C)."""

Gram = tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """Something that is learned from, shown or retrieved: all its words, and the part that may give an answer."""

    words: str
    answer: str


class Overlap:
    """Samples held against texts. Each text is read once, however many samples there are."""

    def __init__(self, samples: Sequence[Sample], texts: Sequence[Text]) -> None:
        self._samples, self._texts = samples, texts
        self._grams = {at: grams for at, one in enumerate(samples) if (grams := _question_grams(one))}
        self._names = {at: _names(samples[at].query.text) for at in self._grams}
        self._holders: dict[Gram, set[int]] = {
            gram: set() for at in self._grams for gram in (*self._grams[at], *self._names[at])
        }
        """N-gram or name of a question → numbers of the texts that hold it."""
        wanted, lengths = self._holders.keys(), {len(gram) for grams in self._grams.values() for gram in grams}
        for number, text in enumerate(texts):
            words = normalise(text.words).split()
            found = set[Gram]().union(*(wanted & set(_windows(words, length)) for length in lengths))
            for gram in found and found | (wanted & set(_windows(words, 1))):
                self._holders[gram].add(number)
        self._wording = {gram for gram, holders in self._holders.items() if self._differ(holders)}

    def word_for_word(self) -> list[Sample]:
        """Samples whose whole question stands in a text, answered there or not."""
        return [self._samples[at] for at in self._grams if self._stands(at)]

    def with_answer(self) -> list[Sample]:
        """Samples that a text holds and answers: ``COVERED`` of their n-grams, and every name and number of them."""
        return [self._samples[at] for at in self._grams if self._answered(at)]

    def _stands(self, at: int) -> bool:
        question = f" {normalise(self._samples[at].query.text)} "
        numbers = set.intersection(*(self._holders[gram] for gram in self._grams[at]))
        return any(question in f" {normalise(self._texts[number].words)} " for number in numbers)

    def _answered(self, at: int) -> bool:
        telling = sorted((self._holders[gram] for gram in self._grams[at] - self._wording), key=len)
        least = COVERED * len(telling)
        # A text that holds enough of them holds one of the rarest: more than those that may be missing.
        candidates = set[int]().union(*telling[: int(len(telling) - least) + 1])
        for name in self._names[at]:
            candidates &= self._holders[name]
        return any(
            sum(number in holders for holders in telling) >= least
            and gives(self._samples[at], self._texts[number].answer)
            for number in sorted(candidates)
        )

    def _differ(self, holders: set[int]) -> bool:
        """Whether texts give more different answers than ``WORDING``."""
        answers = set[str]()
        for number in holders:
            answers.add(self._texts[number].answer)
            if len(answers) > WORDING:
                return True
        return False


def gives(sample: Sample, text: str) -> bool:
    """Whether a text says what is right for the sample: one of its references, or, where it has none, an abstention."""
    right = spellings(sample)
    return any(contains(text, one) for one in right) if right else is_abstention(text)


def _question_grams(sample: Sample) -> frozenset[Gram]:
    """N-grams of the question; none for one that is too short."""
    words = normalise(sample.query.text).split()
    return frozenset(_windows(words, min(LENGTH, len(words)))) if len(words) >= SHORTEST else frozenset()


def _windows(words: Sequence[str], length: int) -> Iterator[Gram]:
    return zip(*(words[start:] for start in range(length)), strict=False)


def _names(text: str) -> frozenset[Gram]:
    """Names and numbers, each a gram of one word: words with a digit, or with a capital where no sentence begins.

    With another of them in its place, the same wording asks something else.
    """
    words = text.split()
    opens = [True, *(word[-1] in ".!?:" for word in words)]
    found = (
        normalise(word)
        for word, opening in zip(words, opens, strict=False)
        if any(map(str.isdigit, word)) or (not opening and any(map(str.isupper, word)))
    )
    return frozenset((word,) for word in found if word)
