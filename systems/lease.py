"""A lock on files that several machines share, which nobody keeps by dying.

Kernel locks (``flock``) are known to one machine alone on some network file systems, refused on others, and outlive a
lost node on a third kind. Here the holder is who created the file of the newest generation: ``NAME.7`` follows
``NAME.6``, creating is atomic everywhere, so one process alone wins each. A file's time of change is its holder's
heartbeat, 0 once it let go. The next generation may be begun when the last was let go of, when its holder is a process
of this machine that has ended, or when its heart was watched for a minute and did not beat. Whoever begins it removes
the files before it, by which a holder that had only stood still learns that it is one no more (``Lease.confirm``).
"""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from systems.base import Failure

BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0
POLL_SECONDS = 0.2
PROMPT_SECONDS = 2.0
"""A look that ends later than this after the one before proves nothing: the file server stood still, or the watcher."""
HEART = Path(__file__).with_name("heart.py")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Holder:
    """Who holds a lease."""

    host: str
    machine: str
    """This start of this machine, and the space in which its process numbers are counted."""
    pid: int
    started: int | None
    """When the process began (see ``_started``): its number alone may be another's by now."""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    @classmethod
    def here(cls) -> Holder:
        """This process."""
        return cls(socket.gethostname(), _machine(), os.getpid(), _started(os.getpid()))

    @property
    def near(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return self.machine == _machine()

    def ended(self) -> bool:
        """Whether it is known to have ended, which only its own machine can tell."""
        if not self.near:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # another user's, which /proc may hide
        return _started(self.pid) not in (None, self.started)


@dataclass(frozen=True)
class Lease:
    """A lease that this process holds, or held."""

    path: Path
    number: int
    """Counts its holders: what an earlier one left may be cleared away, never what a later one makes."""

    @property
    def file(self) -> Path:
        """The file of this generation."""
        return _generation(self.path, self.number)

    def mine(self) -> bool:
        """Whether nobody has taken it over."""
        found = _look(self.file)
        return found is not None and found.holder == Holder.here()

    def confirm(self) -> None:
        """Called before anything is made public: raises Failure where another has taken over."""
        if not self.mine():
            raise Failure(f"{self.path}: was taken over while this process stood still; let the other end, run again")


@contextmanager
def held(path: Path, waiting: Callable[[str], None] = lambda holder: None) -> Iterator[Lease]:
    """Hold the lease of this name. Its directory must exist.

    Waits for who has it; ``waiting`` is told once who that is, when it is known to live.
    """
    lease = _acquire(path, waiting)
    heart = subprocess.Popen(
        [sys.executable, "-S", "-E", str(HEART), str(lease.file), str(os.getpid()), str(BEAT_SECONDS)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # or who reads what this process says would wait for the heart's end too
        stderr=subprocess.DEVNULL,
    )
    try:
        yield lease
    finally:
        heart.kill()
        heart.wait()
        with suppress(OSError):  # not told, others find it out in a minute
            if lease.mine():
                os.utime(lease.file, (0, 0))


def holder(path: Path) -> Holder | None:
    """Who holds the lease, as far as one look can tell; ``None`` where it is free or its holder is known to be dead."""
    number = _newest(path)
    found = _look(_generation(path, number)) if number else None
    if found is None or found.free():
        return None
    if found.holder and found.holder.near:
        return found.holder
    return found.holder if time.time() - found.beat < STALE_SECONDS else None


def numbered(path: Path) -> dict[int, Path]:
    """What is called ``NAME.number``, by number, lowest first."""
    found = ((entry.name.removeprefix(f"{path.name}."), entry) for entry in path.parent.glob(f"{path.name}.*"))
    return dict(sorted((int(name), entry) for name, entry in found if name.isdecimal()))


def _acquire(path: Path, waiting: Callable[[str], None]) -> Lease:
    number = _newest(path)
    seen: tuple[int, float] | None = None
    since = looked = 0.0
    named = told = False
    while True:
        found = _look(_generation(path, number)) if number else None
        if number and found is None:  # cleared away, by a later holder or by hand
            time.sleep(POLL_SECONDS)
            number = _newest(path)
            continue
        now, beat = time.monotonic(), (number, found.beat if found else 0.0)
        beats = seen is not None and seen[0] == number and seen != beat
        if seen != beat or now - looked > PROMPT_SECONDS:
            seen, since = beat, now
        looked = now
        if found is None or found.free() or now - since > STALE_SECONDS:
            if _begun(path, number + 1):
                return Lease(path, number + 1)
            number = max(number + 1, _newest(path))
            continue
        if found.holder and not told:
            if told := beats or found.holder.near:
                waiting(str(found.holder))
            elif not named:
                named = True
                _log.warning("%s: held by %s; watching whether it lives", path, found.holder)
        time.sleep(POLL_SECONDS)


def _begun(path: Path, number: int) -> bool:
    """Whether this process has begun this generation, and so holds the lease."""
    mine = _generation(path, number)
    try:
        descriptor = os.open(mine, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, json.dumps(asdict(Holder.here())).encode())
    finally:
        os.close(descriptor)
    generations = numbered(path)
    if max(generations, default=0) > number:  # others went on meanwhile, and had cleared this generation away
        mine.unlink(missing_ok=True)
        return False
    for before in generations.keys() - {number}:
        generations[before].unlink(missing_ok=True)
    return True


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
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE):
            return None
        raise
    try:
        return _Found(Holder(**json.loads(text)), beat)
    except (ValueError, TypeError):
        return _Found(None, beat)


def _generation(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _newest(path: Path) -> int:
    """Number of the newest generation; 0 where there is none."""
    return max(numbered(path), default=0)


def _started(pid: int) -> int | None:
    """When a process began, in ticks since the machine did: nobody sets that clock. 0 for one that has ended and is
    not yet waited for; ``None`` where /proc does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return 0 if fields[0] in "ZX" else int(fields[19])


def _machine() -> str:
    """Names this start of this machine and the space of process numbers; a container may have one of its own."""
    parts = []
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return "-".join(parts) or socket.gethostname()
