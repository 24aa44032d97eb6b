"""Starts ``bench`` over and over, quickly, and kills it with SIGKILL at a chosen moment.

One process imports what a run needs and forks a child per start, so that a start costs a fraction of a
second; the child is a process group of its own and is killed whole.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.calling import environment

PROGRAM = r"""
import json, os, signal, sys, time
import transformers.models.auto.tokenization_auto, qdrant_edge, hydra, scipy.stats
import bench.run, bench.reporting.page, bench.tasks.company.suite, systems.engines.stub
from bench.__main__ import main

def kill_at_rename(number, side):
    # Every file and every build appears by one of these two calls.
    count = 0
    def wrap(call):
        def renamed(*arguments, **further):
            nonlocal count
            count += 1
            if count == number and side == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*arguments, **further)
            if count == number and side == "after":
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return renamed
    os.replace, os.rename = wrap(os.replace), wrap(os.rename)

def lines(path):
    try:
        with open(path, "rb") as file:
            return file.read().count(b"\n")
    except FileNotFoundError:
        return 0

for text in sys.stdin:
    job = json.loads(text)
    moment = job["moment"]
    child = os.fork()
    if child == 0:
        os.setsid()
        log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        if moment.get("rename"):
            kill_at_rename(moment["rename"], moment["side"])
        code = 70
        try:
            code = main(job["arguments"])
        finally:
            sys.stdout.flush()
            os._exit(code)
    begun, due, killed = time.monotonic(), None, False
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        now = time.monotonic()
        if due is None and "seconds" in moment:
            due = begun + moment["seconds"]
        if due is None and "file" in moment and lines(moment["file"]) >= moment["lines"]:
            due = now + moment.get("pause", 0.0)
        if due is not None and now >= due and not killed:
            try:
                os.killpg(child, signal.SIGKILL)
                killed = True
            except ProcessLookupError:
                pass  # not yet a group of its own
        time.sleep(0.001)
    print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)
"""


class Forker:
    """A context in which ``bench`` can be started and killed."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __enter__(self) -> Forker:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environment(), "TOKENIZERS_PARALLELISM": "false"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def run(self, arguments: list[str], **moment: Any) -> int:
        """Exit code of ``bench ARGUMENTS``; -9 where it was killed at the moment.

        ``seconds``: after so long. ``file``, ``lines``, ``pause``: that long after the file has so many lines.
        ``rename``, ``side``: before or after its so-manieth rename of a file or directory.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = {"arguments": arguments, "log": str(self.log), "moment": moment}
        self._process.stdin.write(json.dumps(job, default=str) + "\n")
        self._process.stdin.flush()
        return int(json.loads(self._process.stdout.readline())["code"])
