"""Overlap by n-grams: evaluated questions that stand nearly word for word in another text, with their answer.

Equal questions are found by comparing whole texts (``contamination.py``); this finds those that were wrapped, put
beside their answer in a page, or edited a little: one changed word in a question of ``EDITED`` words or more, wherever
it is; in a shorter one, a word at its beginning or end at most. It does not find a question that was changed in several
places, a short one changed in the middle, a translation, nor one that is told without its answer. Those cannot be
refused: with parity on, training asks for the evaluated facts in other words by design ("is recorded as" for "is listed
as"). Wording alone is no contamination: templates share it whatever they ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.canonical import says, stands_in, words
from bench.metrics.abstention import is_abstention
from bench.metrics.readable import UNSPACED
from bench.metrics.references import spellings
from bench.records import Sample

LENGTH = 8
"""Words of an n-gram of a long question; in scripts without spaces, characters, however long it is."""
SHORT = 6
"""Words of an n-gram of a question below ``EDITED``. Shorter ones find the company's own wordings of one fact."""
EDITED = 12
"""Words of a question from which on n-grams are so short that one changed word leaves ``COVERED`` of them. From ten on,
"listed" for "recorded" would make two wordings one."""
COVERED = 0.7
"""Share of a question's n-grams from which on a text holds it: with ``LENGTH``, PaLM's definition (Chowdhery et al.
2022, arXiv 2204.02311, section 8)."""
SHORTEST = 5
"""Words of a question from which on its standing in a text is no chance. One shorter than ``SHORT`` counts whole;
one of characters needs ``LENGTH``."""
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
            read = words(text.words)
            found = set[Gram]().union(*(wanted & set(_windows(read, length)) for length in lengths))
            for gram in found and found | (wanted & set(_windows(read, 1))):
                self._holders[gram].add(number)
        self._wording = {gram for gram, holders in self._holders.items() if self._differ(holders)}

    def word_for_word(self) -> list[Sample]:
        """Samples whose whole question stands in a text, answered there or not."""
        return [self._samples[at] for at in self._grams if self._stands(at)]

    def with_answer(self) -> list[Sample]:
        """Samples that a text holds and answers: ``COVERED`` of their n-grams, and every name and number of them."""
        return [self._samples[at] for at in self._grams if self._answered(at)]

    def _stands(self, at: int) -> bool:
        question = self._samples[at].query.text
        numbers = set.intersection(*(self._holders[gram] for gram in self._grams[at]))
        return any(stands_in(question, self._texts[number].words) for number in numbers)

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
    return any(says(text, one) for one in right) if right else is_abstention(text)


def length_of(count: int) -> int:
    """Words of the n-grams of a question of so many words."""
    if count < EDITED:
        return min(count, SHORT)
    return next(n for n in range(LENGTH, 0, -1) if count - n + 1 - n >= COVERED * (count - n + 1))


def _question_grams(sample: Sample) -> frozenset[Gram]:
    """N-grams of the question; none for one that is too short."""
    read = words(sample.query.text)
    if any(map(UNSPACED.match, read)):
        return frozenset(_windows(read, LENGTH))
    return frozenset(_windows(read, length_of(len(read)))) if len(read) >= SHORTEST else frozenset()


def _windows(words: Sequence[str], length: int) -> Iterator[Gram]:
    return zip(*(words[start:] for start in range(length)), strict=False)


def _names(text: str) -> frozenset[Gram]:
    """Names and numbers, each a gram of one word: words with a digit, or with a capital where no sentence begins.

    With another of them in its place, the same wording asks something else.
    """
    written = text.split()
    opens = [True, *(word[-1] in ".!?:" for word in written)]
    found = (
        one
        for word, opening in zip(written, opens, strict=False)
        for one in words(word)
        if any(map(str.isdigit, one)) or (not opening and any(map(str.isupper, word)) and not UNSPACED.match(one))
    )
    return frozenset((word,) for word in found)
