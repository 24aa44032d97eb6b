"""Which language a text is in, by langdetect, as IFEval has it."""

from __future__ import annotations

from functools import cache
from typing import Any

from systems.base import UserError


@cache
def _factory() -> Any:
    try:
        from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
    except ModuleNotFoundError:
        raise UserError("rules on an answer's language need langdetect; pip install langdetect") from None
    factory = DetectorFactory()
    factory.set_seed(0)  # it draws: without a seed two looks at a text may differ
    factory.load_profile(PROFILES_DIRECTORY)
    return factory


def languages() -> tuple[str, ...]:
    """Codes of all languages it knows. Raises ``UserError`` where langdetect is not installed."""
    return tuple(sorted(_factory().get_lang_list()))


def in_language(text: str, language: str) -> bool:
    """Whether this is the likeliest language of the text. One that tells nothing (only digits) counts as in it."""
    from langdetect import LangDetectException

    detector = _factory().create()
    detector.append(text)
    try:
        return bool(detector.detect() == language)
    except LangDetectException:
        return True
