"""``SHA256SUMS``: what was published, file by file, as ``sha256sum --check`` reads it."""

from __future__ import annotations

from pathlib import Path

from bench.publishing.claim import FILE as CLAIM
from systems.artifacts import file_hash
from systems.base import UserError

FILE = "SHA256SUMS"


def write_checksums(place: Path) -> None:
    """Of every file of a publication but the claim, which people edit."""
    files = sorted(file for file in place.iterdir() if file.is_file() and file.name not in (FILE, CLAIM))
    (place / FILE).write_text("".join(f"{file_hash(file)}  {file.name}\n" for file in files), encoding="utf-8")


def check_checksums(place: Path) -> None:
    """Raises ``UserError`` with the first file that is missing or not as it was published."""
    if not (place / FILE).is_file():
        raise UserError(f"{place / FILE}: is missing, and was published; restore it with git")
    for line in (place / FILE).read_text(encoding="utf-8").splitlines():
        wanted, _, name = line.partition("  ")
        path = place / name
        if not path.is_file():
            raise UserError(f"{path}: is missing, and was published; restore it with git")
        if file_hash(path) != wanted:
            raise UserError(f"{path}: is not as it was published ({FILE}); restore it with git")
