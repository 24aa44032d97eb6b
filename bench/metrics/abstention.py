"""Recognising that an answer abstains."""

from __future__ import annotations

import re
from functools import lru_cache

from bench.metrics.text import plain

WHOLE = (
    r"unknown",
    r"not known",
    r"n/?a",
    r"no answer",
    r"unanswerable",
    r"not sure",
    r"i am not sure",
    r"i am sorry",
    r"idk",
)
"""Forms that abstain only where they are all that is said: in a sentence they may be part of an assertion."""

ABLE = r"(?:answer|determine|find|tell|say|provide|confirm|help|locate|identify|verify|know)"
SOURCE = r"(?:passages?|context|sources?|information|documents?|texts?|excerpts?|materials?|documentation)"
GIVEN = r"(?:(?:the|this|these|those|my|any of the|none of the) )?(?:(?:provided|given|available|supplied|retrieved) )?"
SILENT = r"(?:say|state|mention|contain|provide|specify|include|give|answer|cover|tell|indicate)"

OPENING = (
    r"i (?:really |simply |just )?(?:do not|cannot|could not) (?:actually |currently )?know",
    r"i (?:have|know) no (?:idea|information|answer|knowledge|data)",
    r"i (?:do not|did not) (?:currently )?(?:have|find|see) (?:any |the |that |this |enough |sufficient |access )",
    r"i (?:cannot|can not|could not|am not able to|am unable to|was unable to|was not able to) " + ABLE,
    r"(?:there is |there was )?(?:no|not enough|insufficient) (?:information|data|evidence|answer|mention)\b",
    r"(?:it |this |that |the (?:answer|information|question) |the requested information )"
    r"(?:is not|was not|cannot be|could not be|is nowhere) "
    r"(?:stated|known|mentioned|specified|found|answered|determined)",
    r"the (?:answer|information|requested information) (?:is|was) not (?:given|available|provided|included|possible)",
    # Without its source this may be an answer: "Is breakfast included?" "It is not included."
    r"(?:it |this |that )(?:is|was) not (?:given|available|provided|included|possible) "
    r"(?:in|by|from) " + GIVEN + SOURCE,
    r"(?:not|cannot be) (?:stated|given|available|mentioned|provided|specified|found|answered|determined)\b",
    GIVEN + SOURCE + r" (?:above |below |provided |given )?(?:do|does|did) not " + SILENT,
    r"none of (?:the|these) " + SOURCE + " " + SILENT,
    r"unable to " + ABLE,
)
"""Forms that abstain where the answer opens with them."""

FURTHER = (
    r"(?:please|if you|you (?:may|might|could|can|should)|feel free|let me)\b",
    r"i (?:can|could|would|will|recommend|suggest)\b",
    r"(?:more|further|additional) " + SOURCE,
    r"\D*\b(?:no|not|none|neither|nor|nothing|without)\b\D*$",
    GIVEN + SOURCE + r"\b(?! (?:above |below )?(?:says?|states?|tells?|gives?)\b)\D*$",
)
"""What may follow an abstention without taking it back: an offer, a denial, or a word on what the sources are about."""

ASSERTS = re.compile(
    r"(?<!what )(?<!who )(?<!which )(?<!where )(?<!when )(?<!if )(?<!whether )(?<!as )"
    r"\b(?:it|he|she|they|that|this) (?:is|was|are|were|has|had|ends?|costs?)\b(?! not\b)"
    r"|\bwould (?:say|guess|think|assume|expect)\b|\b(?:must|should) be\b|\bcan tell\b|\bmy guess\b"
)
"""Words of somebody who does say something after all."""
SOURCED = re.compile(
    r"^(?:based on|according to|from|given|in|judging by) (?:\w+ ){0,3}?" + SOURCE + r"(?: \w+)? (?=i |we |it )"
)
"""Where the abstention says what it looked into."""
APOLOGY = re.compile(r"^(?:(?:i am |we are )?(?:very |so )?sorry|unfortunately|i apologi[sz]e)(?: but| that)?\s+")
CONTRAST = re.compile(
    r"\b(?:but|however|though|although|yet|probably|perhaps|maybe|likely|i (?:think|believe|guess))\b"
)
CONTRACTIONS = (
    (re.compile(r"\bcan't\b|\bcannot\b|\bcan not\b"), "cannot"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\bi've\b"), "i have"),
    (re.compile(r"\bwe\b"), "i"),
    (re.compile(r"\bthere's\b"), "there is"),
    (re.compile(r"\bisnt\b"), "is not"),
    (re.compile(r"\bdont\b"), "do not"),
)

_WHOLE = re.compile("|".join(WHOLE))
_OPENING = re.compile("|".join(OPENING))
_FURTHER = re.compile("|".join(FURTHER))
_SENTENCE = re.compile(r"(?<=[.!?;\n])\s+")


@lru_cache(maxsize=64)  # many measures ask it of the same answer
def is_abstention(text: str) -> bool:
    """Whether the answer declines to answer.

    It does when the whole answer is one of ``WHOLE``, or when it opens with one of ``OPENING`` (after an apology or
    not) and nothing after that takes it back: "I don't know, but probably 5", "I am not sure, maybe 5" and "I don't
    know. It is 5." are answers. An empty text is no abstention: no answer came. Letter case, citation markers and
    punctuation do not matter.
    """
    lowered = plain(text).strip().casefold().replace("’", "'")
    for pattern, full in CONTRACTIONS:
        lowered = pattern.sub(full, lowered)
    sentences = [sentence for sentence in _SENTENCE.split(lowered) if _words(sentence)]
    if not sentences:
        return False
    further = [_words(sentence) for sentence in sentences[1:]]
    if _WHOLE.fullmatch(_opening_words(sentences[0])):
        # "I am sorry." may be followed by the abstention itself.
        return all(map(_abstains, further))
    return _opens(sentences[0]) and all(_abstains(one) or _goes_on(one) for one in further)


def _opens(sentence: str) -> bool:
    """Whether the first sentence abstains, in all its clauses."""
    words = _opening_words(sentence)
    found = _OPENING.match(words)
    if found is None or CONTRAST.search(words, found.end()) or ASSERTS.search(words, found.end()):
        return False
    # What stands behind a comma after the abstention is no value: "I could not find it, the fee is 40".
    clauses = [_opening_words(clause) for clause in re.split(r"[,:–—]", sentence) if _words(clause)]
    start = next((at for at, clause in enumerate(clauses) if _OPENING.match(clause)), len(clauses))
    return all(_goes_on(one) or not any(map(str.isdigit, one)) for one in clauses[start + 1 :])


def _goes_on(words: str) -> bool:
    """Whether a further sentence leaves the abstention as it is."""
    return bool(_FURTHER.match(words)) and not CONTRAST.search(words) and not ASSERTS.search(words)


def _opening_words(sentence: str) -> str:
    return APOLOGY.sub("", SOURCED.sub("", _words(sentence)))


def _words(sentence: str) -> str:
    return " ".join(re.sub(r"[^\w/]+", " ", sentence).split())


def _abstains(words: str) -> bool:
    """Whether a sentence is an abstention by itself."""
    words = APOLOGY.sub("", SOURCED.sub("", words))
    found = _OPENING.match(words)
    taken_back = found and (CONTRAST.search(words, found.end()) or ASSERTS.search(words, found.end()))
    return bool(_WHOLE.fullmatch(words) or (found and not taken_back))
