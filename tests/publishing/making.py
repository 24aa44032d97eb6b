"""Tiny runs, published without asking whether their code is committed, which tests of a changing tree cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.publish import candidate, first_claim, written
from bench.publishing.claim import FILE, Claim
from bench.publishing.publication import Publication
from tests.calling import call, small


def tiny_run(model: Path, path: Path, *further: str) -> Path:
    """A run of ``small`` at ``path``; its builds stand beside it."""
    done = call("run", *small(model, f"run_dir={path}", f"builds_dir={path.parent / 'builds'}", *further))
    assert done.code == 0, done.err
    return path


def published(place: Path, paths: Mapping[int, Path], margins: Mapping[str, float] | None = None) -> Publication:
    """These runs as ``place``, with the claim that nobody wrote, or with these margins."""
    runs = [candidate(path) for path in paths.values()]
    claim = first_claim(place.name, runs)
    if margins is not None:
        claim = Claim(**{**vars(claim), "margins": margins})
    (place / FILE).unlink(missing_ok=True)
    return written(place, claim, runs)
