"""Recognising that an answer abstains."""

from __future__ import annotations

import re
from functools import lru_cache

from bench.metrics.foreign_refusals import FOREIGN, FOREIGN_CONTRAST, FOREIGN_LEAD
from bench.metrics.refusals import FURTHER, LEAD, OPENING, PREAMBLE, WHOLE
from bench.metrics.text import plain

ASSERTS = re.compile(
    r"(?<!what )(?<!who )(?<!which )(?<!where )(?<!when )(?<!if )(?<!whether )(?<!as )(?<!about )(?<!on )(?<!of )"
    r"\b(?:it|he|she|they|that|this) (?:is|was|are|were|has|had|ends?|costs?)\b(?! not\b)"
    r"|\bwould (?:say|guess|think|assume|expect)\b|\b(?:must|should) be\b|\bcan tell\b|\bmy guess\b"
)
"""Words of somebody who does say something after all."""
RESUMES = re.compile(r"(?:it|he|she|they) (?!\w+ not\b|cannot\b)")
"""How a clause behind a comma does."""
INDIRECT = re.compile(r"\b(?:who|whose|what|which|when|where|why|how|whether|if)(?: \w+){0,3} (?:it|he|she|they)\b")
"""A question that is only quoted."""
CONTRAST = re.compile(
    r"\b(?:but|however|though|although|yet|probably|perhaps|maybe|likely|i (?:think|believe|guess))\b"
)
OFFER = re.compile(r"\b(?:but|however|though)(?= (?:please|you (?:may|might|can|should)|feel free|let me|if you)\b)")
"""A contrast that only says where to ask instead."""
CONTRACTIONS = (
    (re.compile(r"\bcan't\b|\bcannot\b|\bcan not\b"), "cannot"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\bi've\b"), "i have"),
    (re.compile(r"\bi'd\b"), "i would"),
    (re.compile(r"\bwe\b"), "i"),
    (re.compile(r"\b(it|that|there)'s\b"), r"\1 is"),
    (re.compile(r"\bisnt\b"), "is not"),
    (re.compile(r"\bdont\b"), "do not"),
)


def _any_of(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(forms))


_WHOLE, _FURTHER, _PREAMBLE = _any_of(WHOLE), _any_of(FURTHER), _any_of(PREAMBLE)
_LEAD = re.compile(rf"^(?:{'|'.join(LEAD)})(?: |$)")
_OPENING = re.compile(rf"(?:(?:{'|'.join(LEAD)}) +)*(?:{'|'.join(OPENING)})")
_FOREIGN = re.compile(rf"(?:{FOREIGN_LEAD} )?(?:{'|'.join(form for forms in FOREIGN.values() for form in forms)})")
_FOREIGN_LEAD, _FOREIGN_CONTRAST = re.compile(FOREIGN_LEAD), re.compile(FOREIGN_CONTRAST)
_SENTENCE = re.compile(r"(?<=[.!?;\n])\s+")
_LINK = re.compile(r"^(?:but|and|so|that) ")
_CLAUSE = re.compile(r"[,:–—()]|\s-\s")


@lru_cache(maxsize=64)  # many measures ask it of the same answer
def is_abstention(text: str) -> bool:
    """Whether the answer declines to answer, whatever was asked.

    It does when the whole answer is one of ``WHOLE``, or when it opens with one of ``OPENING`` (after a lead-in or
    not) and nothing around that takes it back: "I don't know, but probably 5", "I am not sure, maybe 5", "I don't
    know. It is 5." and "The fee is 5. The date is not stated." are answers. An empty text is no abstention: no answer
    came. Letter case, citation markers and punctuation do not matter. In the languages of ``FOREIGN``, every sentence
    has to abstain.
    """
    lowered = plain(text).strip().casefold().replace("’", "'")
    for pattern, full in CONTRACTIONS:
        lowered = pattern.sub(full, lowered)
    sentences = [sentence for sentence in _SENTENCE.split(lowered) if _words(sentence)]
    while len(sentences) > 1 and _only_leads(sentences[0]):
        sentences.pop(0)
    if not sentences:
        return False
    if all(map(_abstains_abroad, sentences)):
        return True
    further = [_words(sentence) for sentence in sentences[1:]]
    if _is_whole(sentences[0]):
        # "I am sorry." may be followed by the abstention itself.
        return all(map(_abstains, sentences[1:]))
    return _abstains(sentences[0]) and all(
        _abstains(sentence) or _goes_on(words) for sentence, words in zip(sentences[1:], further, strict=True)
    )


def _is_whole(sentence: str) -> bool:
    return any(_WHOLE.fullmatch(words) for words in (_words(sentence), _LEAD.sub("", _words(sentence), count=1)))


def _abstains(sentence: str) -> bool:
    """Whether a sentence abstains, in all its clauses."""
    if _is_whole(sentence):
        return True
    clauses = [words for clause in _CLAUSE.split(sentence) if (words := _words(clause))]
    while len(clauses) > 1 and _LEAD.fullmatch(clauses[0]):
        clauses = [_LINK.sub("", clauses[1]), *clauses[2:]]
    found = _OPENING.match(clauses[0])
    if found is None or any(map(RESUMES.match, clauses[1:])):
        return False
    rest = INDIRECT.sub("", OFFER.sub("", " ".join((clauses[0][found.end() :], *clauses[1:]))))
    if CONTRAST.search(rest) or ASSERTS.search(rest):
        return False
    # What stands behind a comma after the abstention is no value: "I could not find it, the fee is 40".
    return all(_goes_on(clause) or not any(map(str.isdigit, clause)) for clause in clauses[1:])


def _goes_on(words: str) -> bool:
    """Whether a further sentence leaves the abstention as it is."""
    words = OFFER.sub("", words).strip()
    return bool(_FURTHER.match(words)) and not CONTRAST.search(words) and not ASSERTS.search(words)


def _only_leads(sentence: str) -> bool:
    """Whether a sentence says nothing yet."""
    words = _words(sentence)
    said = any(map(str.isdigit, words)) or CONTRAST.search(words) or ASSERTS.search(words)
    return not said and bool(_PREAMBLE.match(words))


def _abstains_abroad(sentence: str) -> bool:
    words = _words(sentence)
    if any(map(str.isdigit, words)) or _FOREIGN_CONTRAST.search(words):
        return False
    return bool(_FOREIGN.fullmatch(words) or _FOREIGN_LEAD.fullmatch(words))


def _words(sentence: str) -> str:
    return " ".join(re.sub(r"[^\w/]+", " ", sentence).split())
