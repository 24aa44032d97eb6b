"""Where a result comes from, as W&B artifacts: data → index and adapter → run → results.

An artifact is named by the hash of what it stands for and holds its record alone (no document, question or weight), so
that every run names the same version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.tracking.points import BUILD


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something that a run takes or makes."""

    kind: str
    """``data``, ``index`` or ``adapter``."""
    key: str
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.key}"

    def artifact(self, wandb: Any) -> Any:
        """For W&B; the same bytes whoever names it."""
        made = wandb.Artifact(self.name, type=self.kind, metadata=dict(self.record))
        with made.new_file(f"{self.kind}.json", encoding="utf-8") as file:
            json.dump({"key": self.key, **self.record}, file, ensure_ascii=False, indent=1, sort_keys=True)
        return made


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """What a W&B run takes in, and what it gives out beside its results."""

    used: tuple[Thing, ...]
    made: tuple[Thing, ...] = ()

    @property
    def names(self) -> list[str]:
        """Of what it takes; an offline run can say no more than this, until it is sent."""
        return [thing.name for thing in self.used]


TOLD = {
    "index": ("documents", "chunks", "embedder", "engine"),
    "adapter": ("weights", "examples", "tokens", "steps"),
}
"""What is the same whenever a thing is made."""


def lineage(manifest: Mapping[str, Any], writer: str, *, retrieves: bool) -> Lineage:
    """Of a system, or of the build that made index and adapters. ``retrieves``: whether the system searches."""
    data = Thing(kind="data", key=str(manifest.get("made_by", {}).get("data") or "unknown"), record=_data(manifest))
    built = manifest.get("build", {})
    index = [_thing("index", built["index"])] if built.get("index") else []
    adapters = {system: _thing("adapter", record) for system, record in built.get("adapters", {}).items()}
    if writer == BUILD:
        return Lineage(used=(data,), made=(*index, *{one.name: one for one in adapters.values()}.values()))
    own = [adapters[writer]] if writer in adapters else []
    return Lineage(used=(data, *(index if retrieves else ()), *own))


def writers(manifest: Mapping[str, Any], systems: list[str]) -> Iterator[str]:
    """The W&B runs of a run: that of the build first, where something was built, so that it is the maker of it."""
    built = manifest.get("build", {})
    if built.get("index") or built.get("adapters"):
        yield BUILD
    yield from systems


def _thing(kind: str, record: Mapping[str, Any]) -> Thing:
    return Thing(kind=kind, key=record["key"], record={key: record[key] for key in TOLD[kind] if key in record})


def _data(manifest: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: manifest.get(key) for key in ("suite", "split")}
    return {key: value for key, value in found.items() if value is not None}
