"""A content-addressed store for indexes and adapters: the hash of what went in names what came out.

A product is built in a hidden sibling directory and renamed into place when it is complete and on disk,
so a killed build leaves nothing that looks finished. Builders of the same key, on whatever machines, queue on a
lease (see ``lease.py``) that a dead one does not keep, so what it left is known to be dead and is cleared away.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from systems.base import Failure, UserError
from systems.lease import held

DESCRIPTION = "artifact.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_log = logging.getLogger(__name__)


def content_hash(value: Any) -> str:
    """SHA-256 (hex) over the canonical JSON of plain values and dataclasses: key order does not matter."""
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate, which a broken answer may hold, has no UTF-8.
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def file_hash(path: Path | str) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hub_commit(name: str, revision: str | None) -> str:
    """The commit that a hub model's ``revision`` stands for: a branch moves on, and must not find an older one's work.

    Asks the hub, or what was fetched from it before; where neither knows, the revision itself.
    """
    from transformers import AutoConfig

    try:
        commit = getattr(AutoConfig.from_pretrained(name, revision=revision), "_commit_hash", None)
    except (OSError, ValueError):
        commit = None
    return str(commit or revision or "unpinned")


def tree_hash(directory: Path | str) -> str:
    """SHA-256 (hex) over the relative paths and bytes of all files below a directory; times do not count."""
    root = Path(directory)
    if not root.is_dir():
        raise UserError(f"{root}: not a directory")
    return content_hash({p.relative_to(root).as_posix(): file_hash(p) for p in root.rglob("*") if p.is_file()})


@dataclass(frozen=True)
class Store:
    """Finished products under ``root/<kind>/<key>/``, each with an ``artifact.json`` that says what it was made of."""

    root: Path

    def path(self, kind: str, key: str) -> Path:
        """Where a product stands, or will."""
        for name in (kind, key):
            if not _NAME.fullmatch(name):
                raise UserError(f"artifact {kind}/{key}: {name!r} must be letters, digits, '.', '_' and '-'")
        return Path(self.root) / kind / key

    def get(self, kind: str, key: str) -> Path | None:
        """The finished product, or ``None``."""
        path = self.path(kind, key)
        return path if (path / DESCRIPTION).is_file() else None

    def all(self, kind: str) -> list[tuple[Path, dict[str, Any]]]:
        """Every finished product of a kind, with what its ``artifact.json`` says, newest first."""
        found = []
        for description in (Path(self.root) / kind).glob(f"[!.]*/{DESCRIPTION}"):
            try:
                found.append((description.parent, json.loads(description.read_text(encoding="utf-8"))))
            except (OSError, ValueError):
                continue  # somebody is clearing it away
        return sorted(found, key=lambda one: one[1].get("created", ""), reverse=True)

    def build(self, kind: str, key: str, make: Callable[[Path], None], describe: Mapping[str, Any]) -> Path:
        """The finished product; ``make(directory)`` fills it if it is not there yet.

        ``describe`` (the inputs that the key is the hash of) goes into ``artifact.json``. An exception of
        ``make`` passes through and leaves nothing behind; a full disk raises Failure.
        """
        if found := self.get(kind, key):
            return found
        final = self.path(kind, key)
        try:
            with self.alone(kind, key):
                return self.get(kind, key) or _build(final, make, describe)
        except OSError as error:
            if error.errno in _DISK_FULL:
                raise Failure(f"{final}: {os.strerror(error.errno)}; free some space and run again") from error
            raise

    @contextmanager
    def alone(self, kind: str, key: str) -> Iterator[None]:
        """Be the only one, on all machines, who makes this product."""
        final = self.path(kind, key)
        final.parent.mkdir(parents=True, exist_ok=True)

        def waiting(holder: str) -> None:
            _log.warning("waiting for %s, which builds %s %s", holder, kind, key)

        with held(final.with_name(f".{key}.lease"), waiting):
            yield

    def unfinished(self, kind: str, key: str) -> Path:
        """Where the maker of a product keeps what it can go on from after a kill; gone once the product is there."""
        return self.path(kind, key).with_name(f".{key}.unfinished")


def _build(final: Path, make: Callable[[Path], None], describe: Mapping[str, Any]) -> Path:
    """Build beside ``final`` and rename. The caller holds the key's lease, so other leftovers have no living owner."""
    if final.exists():
        raise Failure(f"{final}: has no {DESCRIPTION}, so it was not built here; move it away and run again")
    prefix = f".{final.name}.building-"
    for leftover in [entry for entry in final.parent.iterdir() if entry.name.startswith(prefix)]:
        _log.info("clearing an unfinished build: %s", leftover)
        shutil.rmtree(leftover)
    work = final.with_name(f"{prefix}{uuid.uuid4().hex}")
    work.mkdir()
    try:
        make(work)
        record = {"inputs": _plain(describe), "created": datetime.now(UTC).isoformat(timespec="seconds")}
        (work / DESCRIPTION).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _sync_tree(work)
        work.rename(final)
        _sync(final.parent)
        shutil.rmtree(final.with_name(f".{final.name}.unfinished"), ignore_errors=True)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return final


def _sync_tree(directory: Path) -> None:
    for folder, _, names in os.walk(directory):
        for name in names:
            _sync(Path(folder) / name)
        _sync(Path(folder))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(value: Any) -> Any:
    """Dataclasses, mappings and sequences as dicts and lists; keys must be text, or 1 and "1" would hash alike."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"cannot hash the key {wrong[0]!r}: keys must be text")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
