"""A config and a manifest as they may be shown to anyone: no place of this machine, no text of the data."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from bench.tracking.privacy import cleared
from bench.workspace import ROOT

APART = {"run_dir": None, "builds_dir": "results/builds", "tracker": None, "hydra": None}
"""Keys that change nothing of what is measured."""
PLACES = ("path", "corpus", "samples", "include_path")
"""Last words of keys that name files, also where the name is relative."""
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

    Places inside the program become ``${package:...}``. Others become ``null``; of keys with one value the shortest is
    to be given: key → those that have its value too.
    """
    kept = {key: copy.deepcopy(value) for key, value in config.items() if key not in APART}
    given: dict[Any, list[str]] = {}
    for key, value in list(flat(kept)):
        if isinstance(value, str) and (inside := _inside(value)):
            set_at(kept, key, inside)
        elif _is_place(key, value):
            given.setdefault(value, []).append(key)
            set_at(kept, key, None)
    ordered = [sorted(keys, key=lambda key: (key.count("."), key)) for keys in given.values()]
    return kept, {keys[0]: keys[1:] for keys in ordered}


def restored(
    config: Mapping[str, Any], given: Mapping[str, Sequence[str]], values: Mapping[str, str]
) -> dict[str, Any]:
    """The other way round: with the places of whoever runs it now, ``values`` by the keys that have to be given."""
    found = {**copy.deepcopy(dict(config)), **APART}
    for key, others in given.items():
        for one in (key, *others):
            set_at(found, one, values[key])
    return found


def published_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What of a manifest is published: provenance, hashes and counts."""
    kept = {key: copy.deepcopy(manifest[key]) for key in KEPT if key in manifest}
    kept["documents"] = len(manifest.get("documents") or ())
    for adapter in kept.get("build", {}).get("adapters", {}).values():
        adapter.pop("log", None)
    cleaned: dict[str, Any] = cleared(kept)
    return cleaned


def _inside(value: str) -> str | None:
    """A place inside the program, as conf spells it."""
    path = PurePath(value)
    if not path.is_absolute() or not path.is_relative_to(ROOT):
        return None
    *above, name = path.relative_to(ROOT).parts
    known = above and all((ROOT / Path(*above[: at + 1]) / "__init__.py").is_file() for at in range(len(above)))
    return f"${{package:{'.'.join(above)},{name}}}" if known else None


def _is_place(key: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    return PurePath(value).is_absolute() or (key.rpartition(".")[2] in PLACES and Path(value).exists())
