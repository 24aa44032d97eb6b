"""A directory of ``results/published``: its files, written once and read back checked."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.metrics.base import Metric
from bench.metrics.declared import metric
from bench.pool import Pool
from bench.publishing.checksums import FILE as CHECKSUMS
from bench.publishing.checksums import check_checksums, write_checksums
from bench.publishing.claim import FILE as CLAIM
from bench.publishing.claim import Claim, read_claim, write_claim
from bench.publishing.portable import flat, portable, published_manifest
from bench.publishing.scores import FILE as SCORES
from bench.publishing.scores import read_scores, write_scores
from systems.artifacts import file_hash
from systems.base import UserError

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Publication:
    """What is published under one name, or claimed and not yet run."""

    place: Path

    @property
    def name(self) -> str:
        return self.place.name

    @cached_property
    def claim(self) -> Claim:
        return read_claim(self.place)

    @property
    def run(self) -> bool:
        """Whether it holds results of ours; the files say so, and nobody has to."""
        return any((self.place / name).exists() for name in (CHECKSUMS, MANIFEST))

    @property
    def identity(self) -> str | None:
        """Names the results; ``None`` where there are none yet."""
        return file_hash(self.place / CHECKSUMS)[:16] if self.run else None

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """``runs``: each seed's manifest and the settings it has of its own; ``given``: what has to be given."""
        return self._json(MANIFEST)

    @cached_property
    def summary(self) -> dict[str, Any]:
        return self._json("summary.json")

    @cached_property
    def config(self) -> dict[str, Any]:
        """Of the first run."""
        import yaml

        loaded: dict[str, Any] = yaml.safe_load((self.place / "config.yaml").read_text(encoding="utf-8"))
        return loaded

    @property
    def runs(self) -> dict[int, dict[str, Any]]:
        """Seed → the manifest of its run."""
        return {int(seed): run for seed, run in self.manifest["runs"].items()}

    @property
    def seeds(self) -> list[int]:
        return list(self.runs) if self.run else list(self.claim.seeds)

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """Those whose scores are published."""
        return {name: metric(name) for name in self.claim.quality}

    def scores(self, prefix: str = "") -> Pool:
        """Every published score, systems named with ``prefix``."""
        return read_scores(self.place / SCORES, self.seeds, self.metrics, prefix)

    def check(self) -> None:
        """Raises ``UserError`` where a file is not as it was published."""
        if self.run:
            check_checksums(self.place)

    def _json(self, name: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.place / name).read_text(encoding="utf-8"))
        return loaded


def publications(results: Path) -> Iterator[Publication]:
    """All that is published or claimed, by name."""
    for place in sorted((results / "published").glob("[!.]*/")):
        yield Publication(place)


def find(results: Path, name: str) -> Publication:
    """The one of this name. Raises ``UserError`` with the names there are."""
    found = {one.name: one for one in publications(results)}
    if name not in found:
        raise UserError(f"{name}: nothing of that name in {results / 'published'}; there are: {', '.join(found)}")
    return found[name]


def write(
    place: Path, claim: Claim, manifests: Mapping[int, Mapping[str, Any]], pool: Pool, summary: Mapping[str, Any]
) -> Publication:
    """Write a whole directory beside what is there, which takes its place once all of it is written.

    A claim that stands there stays as its author wrote it.
    """
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    aside = place.with_name(f".{place.name}.aside")
    if aside.exists() and not place.exists():  # the move below was cut short
        aside.rename(place)
    shutil.rmtree(aside, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        if (place / CLAIM).exists():
            shutil.copy(place / CLAIM, part)
        else:
            write_claim(part, claim)
        _fill(part, manifests, pool, summary)
        if place.exists():
            place.rename(aside)
        part.rename(place)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        if aside.exists() and not place.exists():
            aside.rename(place)
        raise
    shutil.rmtree(aside, ignore_errors=True)
    return Publication(place)


def _fill(place: Path, manifests: Mapping[int, Mapping[str, Any]], pool: Pool, summary: Mapping[str, Any]) -> None:
    import yaml

    seeds: Sequence[int] = list(manifests)
    configs = {seed: portable(manifest["config"]) for seed, manifest in manifests.items()}
    first, given = configs[seeds[0]]
    known = dict(flat(first))
    runs = {
        str(seed): {
            **published_manifest(manifest),
            "settings": {key: value for key, value in flat(configs[seed][0]) if known.get(key) != value},
        }
        for seed, manifest in manifests.items()
    }
    _write(place / MANIFEST, {"runs": runs, "given": given})
    _write(place / "summary.json", summary)
    text = yaml.safe_dump(first, sort_keys=False, allow_unicode=True, width=120)
    (place / "config.yaml").write_text(f"# The resolved config of seed {seeds[0]}.\n{text}", encoding="utf-8")
    write_scores(place / SCORES, pool, seeds)
    write_checksums(place)


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
