"""A config and a manifest as they may be shown to anyone: no place of this machine, no text of the data."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from bench.tracking.privacy import cleared
from bench.workspace import ROOT
from systems.base import UserError

APART = {"run_dir": None, "builds_dir": "results/builds", "tracker": None, "hydra": None}
"""Keys that change nothing of what is measured."""
PLACES = ("path", "corpus", "samples", "tasks", "include_path")
"""Last words of keys that name files, also where the name is relative."""
ADDRESS = re.compile(r"~|[a-z][\w+.-]*:/", re.IGNORECASE)
"""How a value begins that is an address as a whole."""
ELSEWHERE = "nobody could make this run again without it, so have it elsewhere, and run again"
KEPT = (
    *(
        "experiment",
        "seed",
        "seeds",
        "split",
        "grid",
        "parity",
        "suite",
        "data",
        "contents",
        "model",
        "metrics",
        "planned",
    ),
    *("systems", "findings", "unequal", "variants", "made_by", "commit", "dirty", "packages", "lock", "python"),
    *("hardware", "platform", "environment", "command", "build", "engine", "detector", "judged", "usage"),
    *("started", "finished", "went_on"),
)
"""Entries of a manifest that are published; no other is."""
NEEDED = ("seed", "contents", "made_by", "systems", "metrics", "hardware")
"""Entries that a later run is held to."""
Flat = dict[str, Any]


def flat(config: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its key, as ``systems.rag.top_k``; lists are values."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value


def set_at(config: dict[str, Any], key: str, value: Any) -> None:
    """Set a value by its flat key."""
    *above, last = key.split(".")
    for part in above:
        config = config[part]
    config[last] = value


def portable(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The config without this machine's places, and what has to be given instead.

    Places inside the program become ``${package:...}``. Others become ``null``, a list with one of them as a whole; of
    keys with one value the shortest is to be given: key → those that have its value too. Raises ``UserError`` for a
    value that may not be shown and is no place: without it the run would be another.
    """
    kept = {key: copy.deepcopy(value) for key, value in config.items() if key not in APART}
    given: dict[str, list[str]] = {}
    for key, value in list(flat(kept)):
        if isinstance(value, str) and (inside := _inside(value)):
            set_at(kept, key, inside)
        elif _is_place(key, value):
            given.setdefault(json.dumps(value), []).append(key)
            set_at(kept, key, None)
        elif _private(key, value):
            raise UserError(f"{key}: names a place, a login or a secret within other words; {ELSEWHERE}")
    ordered = [sorted(keys, key=lambda key: (key.count("."), key)) for keys in given.values()]
    return kept, {keys[0]: keys[1:] for keys in ordered}


def restored(config: Mapping[str, Any]) -> dict[str, Any]:
    """The other way round; what has to be given is still ``null``."""
    return {**copy.deepcopy(dict(config)), **APART}


def provenance(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What of a manifest may be shown: where a run comes from, hashes and counts."""
    kept = {key: copy.deepcopy(manifest[key]) for key in KEPT if key in manifest}
    kept["documents"] = len(manifest.get("documents") or ())
    for adapter in kept.get("build", {}).get("adapters", {}).values():
        adapter.pop("log", None)
    cleaned: dict[str, Any] = _cleared(kept)
    return cleaned


def published_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The same, fit to hold a later run to. Raises ``UserError`` where that needs what may not be shown."""
    found = provenance(manifest)
    for key in NEEDED:
        if found.get(key) != manifest.get(key):
            raise UserError(f"{key} of the manifest: names a place, a login or a secret; {ELSEWHERE}")
    return found


def _cleared(entries: Any) -> Any:
    """Value by value: the program names the entries of a manifest, so no name of one tells of a secret."""
    if isinstance(entries, Mapping):
        return {key: _cleared(value) for key, value in entries.items()}
    return cleared(entries)


def _inside(value: str) -> str | None:
    """A place inside the program, as conf spells it."""
    path = PurePath(value)
    if not path.is_absolute() or not path.is_relative_to(ROOT):
        return None
    *above, name = path.relative_to(ROOT).parts
    known = above and all((ROOT / Path(*above[: at + 1]) / "__init__.py").is_file() for at in range(len(above)))
    return f"${{package:{'.'.join(above)},{name}}}" if known else None


def _is_place(key: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_place(str(name), one) for name, one in value.items())
    if isinstance(value, list | tuple):
        return any(_is_place(key, one) for one in value)
    if not isinstance(value, str):
        return False
    if PurePath(value).is_absolute() or (key.rpartition(".")[2] in PLACES and Path(value).exists()):
        return True
    return ADDRESS.match(value) is not None and cleared(value) != value


def _private(key: str, value: Any) -> bool:
    name = key.rpartition(".")[2]
    if name.endswith("_variable"):  # which says where a secret stands, and is none
        return bool(cleared(value) != value)
    return bool(cleared({name: value}) != {name: value})
