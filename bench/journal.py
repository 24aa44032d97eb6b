"""The journal: append-only JSON lines, each with its own checksum, that survive a kill at any moment.

A line counts once it is written whole: a torn last line is cut off when the journal is opened again, and
what it held is simply done again. Written lines outlive the process at once (they are with the kernel);
``sync_seconds`` bounds what a power failure can take. Who opens it goes on in a file of its own that takes the old
one's place: a writer that lost the run's lease, and does not know it yet, reaches nothing that is read.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from systems.base import Failure, UserError

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=asdict)


def seal(record: Mapping[str, Any]) -> bytes:
    """A record as one line that ends with the CRC-32 of all before it; a dataclass in it is written by its fields."""
    text = _ENCODER.encode(record)
    # A lone surrogate, which a server's broken answer may hold, has no UTF-8: it stays the JSON escape that it was.
    body = text.encode("utf-8", "backslashreplace")
    return body[:-1] + b"," * bool(record) + f'"crc":"{zlib.crc32(body):08x}"}}\n'.encode()


def unseal(line: bytes) -> dict[str, Any] | None:
    """The record of a line, or ``None`` if the line is torn or altered."""
    head, mark, tail = line.rpartition(b'"crc":"')
    if not mark or len(tail) != 11 or not tail.endswith(b'"}\n'):
        return None
    body = head.removesuffix(b",") + b"}"
    if f"{zlib.crc32(body):08x}".encode() != tail[:8]:
        return None
    record: dict[str, Any] = json.loads(body)
    return record


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line. A torn last line is passed over; an altered one in the middle is an error."""
    return (record for record, _ in whole(path))


def whole(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Every whole line's record, and the byte at which the line ends."""
    if not path.exists():
        return
    end = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            record = unseal(line)
            if record is None:
                if next(file, None) is not None:
                    raise UserError(f"{path}:{number}: damaged line in the journal; move the file away to start over")
                return
            end += len(line)
            yield record, end


class Journal:
    """Appends records. Opened by one process at a time, which holds the run (``Workspace.alone``)."""

    def __init__(
        self, path: Path, sync_seconds: float = 2.0, keep: Callable[[Mapping[str, Any]], bool] = lambda record: True
    ) -> None:
        """``keep``: which records count; the others are taken out, to be made again."""
        self.path = path
        self._sync_seconds = sync_seconds
        found = list(whole(path))
        self.records = [record for record, _ in found if keep(record)]
        """What stood in the journal when it was opened, and counts."""
        part = _part(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if len(self.records) < len(found):
                part.write_bytes(b"".join(map(seal, self.records)))
            elif found:
                shutil.copyfile(path, part)
                os.truncate(part, found[-1][1])
            self._file = part.open("ab" if found else "wb", buffering=0)
            self._end = self._file.tell()
            os.fsync(self._file.fileno())
            os.replace(part, path)
        except OSError as error:
            raise not_written(path, error) from error
        self._synced = time.monotonic()

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record. When this returns, a kill of the process can no longer lose it."""
        line = seal(record)
        try:
            written = 0
            while written < len(line):
                written += self._file.write(line[written:])
            self._end += len(line)
            now = time.monotonic()
            if now - self._synced > self._sync_seconds:
                os.fsync(self._file.fileno())
                self._synced = now
        except OSError as error:
            # A part of a line would spoil the one that follows it.
            with suppress(OSError):
                self._file.truncate(self._end)
            raise not_written(self.path, error) from error

    def close(self) -> None:
        """Make everything written durable and let go of the file."""
        if not self._file.closed:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise not_written(self.path, error) from error
            finally:
                self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_atomically(path: Path, text: str) -> None:
    """Replace a file whole: a reader sees the old one or the new one, never a part."""
    with replacing(path) as file:
        file.write(text)


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A file to write to, which takes the place of ``path`` once it is whole; after an error nothing has changed."""
    part = _part(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Lone surrogates become their escapes, as in the journal.
        with part.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise not_written(path, error) from error
        raise


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def not_written(path: Path, error: OSError) -> Failure:
    """A file that cannot be written, and what to do about it."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = (
        "free some space and run again; what is finished stays" if full else "choose another place with run_dir=DIR"
    )
    return Failure(f"{path}: cannot be written: {error.strerror}; {advice}")
