"""Where a table stands in a directory or in a hub's repository, and which files make it up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from glob import escape
from pathlib import Path

from systems.base import UserError

ENDS = (".jsonl", ".jsonl.gz", ".csv", ".tsv", ".json", ".parquet")
SHARD = re.compile(r"(?P<of>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(-[0-9a-f]+)?|(?P<converted>\d{4})")
"""``test-00001-of-00004``, as data sets are pushed to a hub; ``test/0001``, as the hub itself converts them."""


def places(stem: str, config: str | None = None) -> Iterator[str]:
    """Patterns of the files that may hold a table, the plainest first.

    It stands in the directory itself, in ``data/``, or in the folder of a configuration; there whole or in shards.
    ``config``: in that folder alone; empty: in none.
    """
    inside = ("", "data/", "*/") if config is None else (f"{escape(config)}/",) if config else ("", "data/")
    for folder in inside:
        for shard in ("", "-*-of-*", "/[0-9][0-9][0-9][0-9]"):
            yield from (f"{folder}{stem}{shard}{end}" for end in ENDS)


def configs(path: Path, stem: str) -> list[str]:
    """The folders that hold a table, one per configuration; first an empty one, where it stands in none."""
    folders = sorted(one.name for one in path.iterdir() if one.is_dir() and one.name not in ("data", stem))
    return [name for name in ("", *folders) if holds(path, stem, name)]


def holds(path: Path, stem: str, config: str | None = None) -> bool:
    """Whether there is such a table."""
    return any(any(path.glob(name)) for name in places(stem, config))


def one_table(found: list[Path]) -> list[Path]:
    """The files that a pattern matched, where they are one file or all shards of one, in order."""
    found = sorted(found)
    shards = {path: SHARD.fullmatch(_stem(path)) for path in found}
    kinds = {(path.parent, match and match["of"], match and match["count"]) for path, match in shards.items()}
    matches = [match for match in shards.values() if match]
    if len(kinds) > 1 or (len(found) > 1 and not matches):
        raise UserError(f"{' and '.join(map(str, found))}: which one? They are not shards of one file; leave one there")
    if matches:
        numbers = [int(match["number"] or match["converted"]) for match in matches]
        count = int(matches[0]["count"] or len(numbers))
        if missing := sorted(set(range(count)) - set(numbers)):
            raise UserError(f"{found[0]}: shard {missing[0]} of {count} is missing beside it (they count from 0)")
    return found


def _stem(path: Path) -> str:
    return next((path.name.removesuffix(end) for end in ENDS if path.name.endswith(end)), path.name)
