"""Where a generated text ends, for engines that stop a token or more after it."""

from __future__ import annotations

from collections.abc import Sequence


def before_stop(text: str, stop: Sequence[str]) -> str:
    """The text up to the first of the stop texts; an empty one stops nothing."""
    found = [at for one in stop if one and (at := text.find(one)) >= 0]
    return text[: min(found)] if found else text
