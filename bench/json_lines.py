"""A user's file of JSON objects, one a line: the first mistake is an error that names its line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.metrics.json_text import NotJson, parse
from systems.base import UserError


def read_objects(path: Path, example: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Line number, place (``FILE:LINE``, which begins errors) and object; blank lines are passed over.

    ``example`` shows what a line should be. Lines end at newlines alone: a text may hold other separators (U+2028).
    """
    for number, raw in enumerate(path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not raw.strip():
            continue
        where = f"{path}:{number}"
        try:
            data = parse(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise UserError(f"{where}: not UTF-8 at byte {error.start} of the line; save the file as UTF-8") from None
        except NotJson as error:
            raise UserError(f"{where}: not JSON: {error}") from None
        if not isinstance(data, dict):
            raise UserError(f"{where}: must be an object such as {example}")
        yield number, where, data
