"""A lock on files that several machines share, which nobody keeps by dying.

Kernel locks (``flock``) are known to one machine alone on some network file systems, refused on others, and outlive a
lost node on a third kind. Here the holder is who created the file of the newest generation: ``NAME.7`` follows
``NAME.6``, creating is atomic everywhere, so one process alone wins each. A file's time of change is its holder's
heartbeat, 0 once it let go. The next generation may be begun when the last was let go of, when its holder is a process
of this machine that has ended, or when its heart was not seen to beat for a minute.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0
POLL_SECONDS = 0.2
HEART = Path(__file__).with_name("heart.py")


@dataclass(frozen=True)
class Holder:
    """Who holds a lease."""

    host: str
    machine: str
    """This start of this machine, and the space in which its process numbers are counted."""
    pid: int
    started: float
    """When the process began: its number alone may be another's by now."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @classmethod
    def here(cls) -> Holder:
        """This process."""
        import psutil

        return cls(socket.gethostname(), _machine(), os.getpid(), psutil.Process().create_time())

    def ended(self) -> bool:
        """Whether it is known to have ended, which only its own machine can tell."""
        import psutil

        if self.machine != _machine():
            return False
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.started) > 1 or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


@contextmanager
def held(path: Path, waiting: Callable[[str], None] = lambda holder: None) -> Iterator[None]:
    """Hold the lease of this name; waits for who has it, told once to ``waiting``. Its directory must exist."""
    mine = _acquire(path, waiting)
    heart = subprocess.Popen(
        [sys.executable, "-S", "-E", str(HEART), str(mine), str(os.getpid()), str(BEAT_SECONDS)],
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        heart.kill()
        heart.wait()
        with suppress(FileNotFoundError):  # taken over, and the new holder has cleared up
            os.utime(mine, (0, 0))


def holder(path: Path) -> Holder | None:
    """Who holds the lease, as far as one look can tell; ``None`` where it is free or its holder is known to be dead."""
    number = _newest(path)
    found = _look(_generation(path, number)) if number else None
    if found is None or found.beat == 0 or (found.holder and found.holder.ended()):
        return None
    if found.holder and found.holder.machine == _machine():
        return found.holder
    return found.holder if time.time() - found.beat < STALE_SECONDS else None


def _acquire(path: Path, waiting: Callable[[str], None]) -> Path:
    """The file of a generation that this process has begun."""
    number = _newest(path)
    seen: tuple[int, float] | None = None
    since = 0.0
    told = False
    while True:
        found = _look(_generation(path, number)) if number else None
        if number and found is None:  # cleared away by a later holder
            number = max(_newest(path), number + 1)
            continue
        if found is not None and (number, found.beat) != seen:
            seen, since = (number, found.beat), time.monotonic()
        stale = time.monotonic() - since > STALE_SECONDS
        if found is None or found.free() or stale:
            mine = _generation(path, number + 1)
            try:
                _create(mine)
            except FileExistsError:
                number += 1
                continue
            if _newest(path) == number + 1:
                _clear(path, number)
                return mine
            mine.unlink()  # others went on meanwhile, and had cleared this generation away
            number = _newest(path)
            continue
        if not told:
            waiting(str(found.holder or "another process"))
            told = True
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class _Found:
    """What stands in the file of a generation."""

    holder: Holder | None
    """``None`` while it is being written."""
    beat: float

    def free(self) -> bool:
        return self.beat == 0 or (self.holder is not None and self.holder.ended())


def _look(file: Path) -> _Found | None:
    """The file as it is now; ``None`` where it is gone. Opened each time: network file systems look again then."""
    try:
        with file.open(encoding="utf-8") as opened:
            beat = os.fstat(opened.fileno()).st_mtime
            text = opened.read()
    except FileNotFoundError:
        return None
    try:
        return _Found(Holder(**json.loads(text)), beat)
    except (ValueError, TypeError):
        return _Found(None, beat)


def _create(file: Path) -> None:
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    try:
        os.write(descriptor, json.dumps(asdict(Holder.here())).encode())
    finally:
        os.close(descriptor)


def _generation(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _newest(path: Path) -> int:
    """Number of the newest generation; 0 where there is none."""
    names = (entry.name.removeprefix(f"{path.name}.") for entry in path.parent.glob(f"{path.name}.*"))
    return max((int(name) for name in names if name.isdecimal()), default=0)


def _clear(path: Path, last: int) -> None:
    """Remove the generations up to this one: a newer one stands, and whoever begins an old one anew sees it."""
    for entry in path.parent.glob(f"{path.name}.*"):
        name = entry.name.removeprefix(f"{path.name}.")
        if name.isdecimal() and int(name) <= last:
            entry.unlink(missing_ok=True)


def _machine() -> str:
    """Names this start of this machine and the space of process numbers; a container may have one of its own."""
    parts = []
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return "-".join(parts) or socket.gethostname()
