"""What making an index or an adapter took, and on what machine: noted beside it for the runs that find it there."""

from __future__ import annotations

import json
from typing import Any

from bench.journal import write_atomically
from bench.workspace import hardware
from systems.artifacts import Store


def note(store: Store, kind: str, key: str, **took: Any) -> dict[str, Any]:
    """Write down what making a product took; its first maker's word stays, since later ones only waited for it."""
    path = store.path(kind, key).with_name(f"{key}.made.json")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({**took, "hardware": hardware()}) + "\n")
    return noted(store, kind, key)


def noted(store: Store, kind: str, key: str) -> dict[str, Any]:
    """The note of a product; empty where none was written."""
    path = store.path(kind, key).with_name(f"{key}.made.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found
