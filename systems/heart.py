"""The heartbeat of a lease (see ``lease.py``): a process of its own, which ends when its holder does.

A thread of the holder would stand still with it: a library that builds an index keeps all of them waiting.

    python heart.py FILE HOLDER_PID SECONDS
"""

import os
import signal
import sys
import time
from contextlib import suppress

LOOK_SECONDS = 0.2


def main(file: str, holder: int, seconds: float) -> None:
    """Set the file's time every so often, for as long as the holder lives."""
    # A scheduler signals every process of a job; the holder may have work left to bring to an end.
    for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    beat = time.monotonic()
    while os.getppid() == holder:
        time.sleep(LOOK_SECONDS)
        if time.monotonic() - beat >= seconds:
            beat = time.monotonic()
            with suppress(OSError):  # a file server that fails now may be there at the next beat
                os.utime(file)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
