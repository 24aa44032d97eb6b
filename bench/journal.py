"""The journal: append-only JSON lines, each with its own checksum, that survive a kill at any moment.

A line counts once it is written whole: a torn last line is cut off when the journal is opened again, and
what it held is simply done again. Written lines outlive the process at once (they are with the kernel);
``sync_seconds`` bounds what a power failure can take.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from systems.base import Failure, UserError


def seal(record: Mapping[str, Any]) -> bytes:
    """A record as one line that ends with the CRC-32 of all before it."""
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return f'{body[:-1]},"crc":"{zlib.crc32(body.encode()):08x}"}}\n'.encode()


def unseal(line: bytes) -> dict[str, Any] | None:
    """The record of a line, or ``None`` if the line is torn or altered."""
    head, mark, tail = line.rstrip(b"\n").rpartition(b',"crc":"')
    if not mark or len(tail) != 10 or not tail.endswith(b'"}'):
        return None
    body = head + b"}"
    if f"{zlib.crc32(body):08x}".encode() != tail[:8]:
        return None
    record: dict[str, Any] = json.loads(body)
    return record


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line. A torn last line is passed over; an altered one in the middle is an error."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            record = unseal(line)
            if record is None:
                if line.endswith(b"\n") and file.read(1):
                    raise UserError(f"{path}:{number}: damaged line in the journal; move the file away to start over")
                return
            yield record


class Journal:
    """Appends records; opened by one process at a time."""

    def __init__(self, path: Path, sync_seconds: float = 2.0) -> None:
        self.path = path
        self._sync_seconds = sync_seconds
        path.parent.mkdir(parents=True, exist_ok=True)
        self.records = list(read(path))
        """What stood in the journal when it was opened."""
        self._file: BinaryIO = path.open("ab")
        self._lock()
        good = sum(len(seal(record)) for record in self.records)
        if good < self._file.tell():
            self._file.truncate(good)
            self._file.seek(good)
        self._synced = time.monotonic()

    def _lock(self) -> None:
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Failure(f"{self.path}: another process is writing this run; wait for it or stop it") from None

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record. When this returns, a kill of the process can no longer lose it."""
        try:
            self._file.write(seal(record))
            self._file.flush()
            now = time.monotonic()
            if now - self._synced > self._sync_seconds:
                os.fsync(self._file.fileno())
                self._synced = now
        except OSError as error:
            raise Failure(f"{self.path}: cannot be written: {error.strerror}; free some space and run again") from error

    def close(self) -> None:
        """Make everything written durable and let go of the file."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_atomically(path: Path, text: str) -> None:
    """Replace a file whole: a reader sees the old one or the new one, never a part."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Failure(f"{path}: cannot be written: {error.strerror}; free some space and run again") from error
