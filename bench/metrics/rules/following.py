"""Whether an answer follows its rules: strictly, as it stands, and loosely, as IFEval defines both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from bench.metrics.rules.registry import holds

Rules = Sequence[Mapping[str, Any]]


def followed(text: str, rules: Rules, loose: bool = False) -> tuple[bool, ...]:
    """For each rule, whether the text follows it; an empty text follows none.

    ``loose``: a rule is followed if one of eight versions of the text does (see ``versions``).
    """
    return _followed(text, json.dumps(list(rules)), loose)


@lru_cache(maxsize=2**16)  # four measures, and every comparison of systems, ask the same
def _followed(text: str, rules: str, loose: bool) -> tuple[bool, ...]:
    candidates = [one for one in (versions(text) if loose else [text]) if one.strip()]
    return tuple(any(holds(one, given) for one in candidates) for given in json.loads(rules))


def versions(text: str) -> list[str]:
    """The text, without its first line, its last, or both (an opening and a closing word), and all four again without
    asterisks (Markdown's marks)."""
    lines = text.split("\n")
    kept = [text, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))]
    return list(dict.fromkeys([*kept, *(one.replace("*", "") for one in kept)]))
