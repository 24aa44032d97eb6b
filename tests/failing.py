"""An engine whose calls fail now and then, as a server's would."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from systems.base import Completion, Request, Stream
from systems.engines.stub import StubEngine

ERROR = "TimeoutError: no complete answer within 60 s"
FAILED = Completion(text="", tokens_in=0, tokens_out=0, finish_reason="error", error=ERROR)


@dataclass(frozen=True, kw_only=True)
class FailingEngine(StubEngine):
    """The stub, but every ``every``-th call fails: ``engine=stub engine._target_=tests.failing.FailingEngine``."""

    every: int = 3

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        for index, completion in super().generate(requests, in_flight):
            yield index, FAILED if index % self.every == 0 else completion

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[Stream]:
        async with super().streaming() as stream:
            yield FailingStream(stream, self.every)


@dataclass(frozen=True)
class FailingStream:
    """A stream of which every ``every``-th call fails."""

    inner: Stream
    every: int
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def complete(self, request: Request) -> Completion:
        return FAILED if next(self.numbers) % self.every == 0 else await self.inner.complete(request)

    async def reset_prefix_cache(self) -> bool:
        return await self.inner.reset_prefix_cache()
