"""A content-addressed store for indexes and adapters: the hash of what went in names what came out.

A product is built in a hidden sibling directory and renamed into place when it is complete and on disk,
so a killed build leaves nothing that looks finished. Builders of the same key, on whatever machines, queue on a
lease (see ``lease.py``) that a dead one does not keep. Each builds in a place with its lease's number, and first moves
what earlier ones left there: one that was not dead, but had stood still, no longer has anything that it could publish.
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from systems.base import Failure, UserError
from systems.lease import Lease, held, numbered

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
            with self.alone(kind, key) as lease:
                return _build(final, lease, make, describe)
        except OSError as error:
            if error.errno in _DISK_FULL:
                raise Failure(f"{final}: {os.strerror(error.errno)}; free some space and run again") from error
            raise

    @contextmanager
    def alone(self, kind: str, key: str) -> Iterator[Lease]:
        """Be the only one, on all machines, who makes this product."""
        final = self.path(kind, key)
        final.parent.mkdir(parents=True, exist_ok=True)

        def waiting(holder: str) -> None:
            _log.warning("waiting for %s, which builds %s %s", holder, kind, key)

        with held(final.with_name(f".{key}.lease"), waiting) as lease:
            yield lease


def unfinished(directory: Path) -> Path:
    """Where the maker of a product keeps what the next can go on from after a kill; gone once the product is there.

    ``directory``: the one that ``make`` fills.
    """
    return directory.with_name("unfinished")


def _build(final: Path, lease: Lease, make: Callable[[Path], None], describe: Mapping[str, Any]) -> Path:
    """Build beside ``final`` and rename."""
    place = _taken_over(final.with_name(f".{final.name}.building"), lease.number)
    if (final / DESCRIPTION).is_file():  # made while this one waited
        shutil.rmtree(place, ignore_errors=True)
        return final
    if final.exists():
        raise Failure(f"{final}: has no {DESCRIPTION}, so it was not built here; move it away and run again")
    work = place / "product"
    try:
        work.mkdir(parents=True)
        make(work)
        record = {"inputs": _plain(describe), "created": datetime.now(UTC).isoformat(timespec="seconds")}
        (work / DESCRIPTION).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _sync_tree(work)
        lease.confirm()
        work.rename(final)
    except BaseException as error:
        shutil.rmtree(work, ignore_errors=True)
        with suppress(OSError):  # there is something to go on from
            place.rmdir()
        if isinstance(error, OSError):
            lease.confirm()  # or the reason is that another has moved it away
        raise
    _sync(final.parent)
    shutil.rmtree(place, ignore_errors=True)
    return final


def _taken_over(places: Path, number: int) -> Path:
    """The place of this number, with what the last one before it kept to go on from, and nothing else."""
    mine = places.with_name(f"{places.name}.{number}")
    for before, left in numbered(places).items():
        if before < number:
            _log.info("taking over an unfinished build: %s", left)
            shutil.rmtree(mine, ignore_errors=True)
            with suppress(FileNotFoundError):  # it is done after all
                left.rename(mine)  # at once: what it still writes, it writes nowhere
    shutil.rmtree(mine / "product", ignore_errors=True)
    return mine


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
