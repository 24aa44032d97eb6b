"""An engine whose calls fail now and then, as a server's would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from systems.base import Completion, Request
from systems.engines.stub import StubEngine

ERROR = "TimeoutError: no complete answer within 60 s"


@dataclass(frozen=True, kw_only=True)
class FailingEngine(StubEngine):
    """The stub, but every ``every``-th call fails: ``engine=stub engine._target_=tests.failing.FailingEngine``."""

    every: int = 3

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        for index, completion in super().generate(requests, in_flight):
            if index % self.every == 0:
                yield index, Completion(text="", tokens_in=0, tokens_out=0, finish_reason="error", error=ERROR)
            else:
                yield index, completion
