"""An engine of known answers and known delays: what the harness itself is tested and measured against."""

from __future__ import annotations

import heapq
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from systems.alarm import Alarm
from systems.base import Completion, Likelihood, Request, Stream
from systems.engines.stopping import before_stop
from systems.model import Model


@dataclass(frozen=True, kw_only=True)
class StubEngine:
    """Answers from a table by the last message's text, else with ``default``, after ``delay_seconds``."""

    model: Model
    name: str = "stub"
    version: str = "1"
    answers: Mapping[str, str] = field(default_factory=dict)
    default: str = "I don't know."
    delay_seconds: float = 0.0
    first_token_seconds: float = 0.0
    """The part of the delay before the first token."""
    max_num_seqs: int = 64
    loads: int = 0
    """There are no weights."""
    ran_on: str = "cpu"
    answer: Callable[[Request], str] | None = None
    """Computes an answer from the request; goes before the table."""
    likelihood: Callable[[Request], float] | None = None
    """Computes a continuation's log-likelihood; without it minus one per token."""
    likelihoods: bool = field(default=True, init=False)

    def _likelihood(self, request: Request) -> Likelihood | None:
        if not request.continuation:
            return None
        found = self.likelihood(request) if self.likelihood is not None else -float(len(request.continuation))
        return Likelihood(log_likelihood=found, greedy=True)

    def _text(self, request: Request) -> str:
        if self.answer is not None:
            return self.answer(request)
        prompt = request.text or request.messages[-1].content
        return before_stop(self.answers.get(prompt, self.default), request.stop)

    def _completion(self, request: Request) -> Completion:
        text = "" if request.continuation else self._text(request)
        first = self.first_token_seconds
        return Completion(
            text=text,
            likelihood=self._likelihood(request),
            tokens_in=_words(request),
            tokens_out=len(text.split()),
            finish_reason="stop",
            timings={"queue": 0.0, "prefill": first, "decode": self.delay_seconds - first, "ttft": first},
        )

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[Stream]:
        """Answers after ``delay_seconds``, however many are asked at once."""
        with Alarm() as alarm:
            yield _StubStream(self, alarm)

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        source = enumerate(requests)
        room = in_flight or self.max_num_seqs
        due: list[tuple[float, int, Completion]] = []
        more = True
        while True:
            while more and len(due) < room:
                index, request = next(source, (-1, None))
                if request is None:
                    more = False
                    break
                heapq.heappush(due, (time.perf_counter() + self.delay_seconds, index, self._completion(request)))
            if not due:
                return
            moment, index, completion = heapq.heappop(due)
            if (wait := moment - time.perf_counter()) > 0:
                time.sleep(wait)
            yield index, completion

    def start(self) -> None:
        """Nothing to load."""

    def reset_prefix_cache(self) -> bool:
        """Nothing is kept between calls, so every prompt is cold."""
        return True

    def close(self) -> None:
        """Nothing to give back."""


@dataclass(frozen=True)
class _StubStream:
    engine: StubEngine
    alarm: Alarm

    async def complete(self, request: Request) -> Completion:
        asked = time.perf_counter()
        completion = self.engine._completion(request)
        first = self.engine.first_token_seconds
        gap = (self.engine.delay_seconds - first) / max(1, completion.tokens_out - 1)
        await self.alarm.until(asked + self.engine.delay_seconds)
        return replace(completion, pieces=tuple(first + gap * piece for piece in range(completion.tokens_out)))

    async def reset_prefix_cache(self) -> bool:
        return True


def _words(request: Request) -> int:
    return len(request.text.split()) + sum(len(message.content.split()) for message in request.messages)
