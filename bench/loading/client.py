"""Asks as users do: each question at its moment, whatever became of those before it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.loading.records import Request
from bench.metrics.format_adherence import adherence_error
from bench.records import Sample
from systems.alarm import Alarm
from systems.base import Answer, Failure, Stream, System, UserError
from systems.timing import CPU

HEADSTART = 0.05
"""Seconds before the first arrival, so that it is not sent late."""
WHOLE = ("e2e", "ttft")
"""Timings that are not those of one stage."""
OURS = ("embed", "search", "rerank", "prompt")
"""Stages before the engine's."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """One system behind a stream, and how long users wait for it."""

    system: System
    stream: Stream
    pool: Executor
    """Threads that prepare."""
    alarm: Alarm
    timeout_seconds: float
    in_flight: int
    """Most requests that the system works on at once; the others wait before it, and their waiting counts."""

    async def open_loop(self, samples: Sequence[Sample], times: np.ndarray, warm_up: int) -> AsyncGenerator[Request]:
        """A record per sample as each is answered; the first ``warm_up`` are not measured."""
        origin = time.perf_counter() + HEADSTART
        done: asyncio.Queue[Request | None] = asyncio.Queue()
        slots = asyncio.Semaphore(self.in_flight)

        async def ask(number: int, due: float) -> None:
            record = await self._ask(samples[number], number, due, origin, slots, measured=number >= warm_up)
            done.put_nowait(record)

        async def send() -> None:
            async with asyncio.TaskGroup() as asked:
                for number, after in enumerate(times.tolist()):
                    await self.alarm.until(origin + after)
                    asked.create_task(ask(number, origin + after))

        async for record in _as_they_come(send, done):
            yield record

    async def closed_loop(self, samples: Sequence[Sample], users: int, warm_up: int) -> AsyncGenerator[Request]:
        """``users`` who each ask again as soon as they have their answer: queueing is hidden by construction."""
        origin = time.perf_counter()
        done: asyncio.Queue[Request | None] = asyncio.Queue()
        waiting = iter(enumerate(samples))
        slots = asyncio.Semaphore(users)

        async def user() -> None:
            for number, sample in waiting:
                due = time.perf_counter()
                done.put_nowait(await self._ask(sample, number, due, origin, slots, measured=number >= warm_up))

        async def send() -> None:
            async with asyncio.TaskGroup() as asked:
                for _ in range(users):
                    asked.create_task(user())

        async for record in _as_they_come(send, done):
            yield record

    async def _ask(
        self, sample: Sample, number: int, due: float, origin: float, slots: asyncio.Semaphore, *, measured: bool
    ) -> Request:
        woken = time.perf_counter()
        sent = answered = woken
        error, timed_out, answer = None, False, None
        try:
            async with asyncio.timeout(due + self.timeout_seconds - woken), slots:
                sent = time.perf_counter()
                answer = await self.system.serve(sample.query, self.stream, self.pool)
            answered = time.perf_counter()
            error = answer.error
        except TimeoutError:
            error, timed_out = f"TimeoutError: no answer within {self.timeout_seconds:g} s", True
        except UserError:
            raise
        except Failure as failure:  # a server of the index that is gone, say: an outcome like a failed call
            error = str(failure)
        except Exception as failure:  # noqa: BLE001  whatever breaks in one call is that call's outcome
            error = " ".join(f"{type(failure).__name__}: {failure}".split())[:240]
        validating = time.thread_time()
        well_formed = _well_formed(sample, answer)
        validating = time.thread_time() - validating
        ended = time.perf_counter()
        timings = {"send": woken - due, "admission": sent - woken}
        worked: dict[str, float | None] = {}
        if answer is not None:
            own = {stage: value for stage, value in answer.timings.items() if stage not in WHOLE}
            worked = {stage: own.pop(stage + CPU, None) for stage in OURS if stage in own} | {"validate": validating}
            timings |= own | {"validate": ended - answered}
            if "ttft" in answer.timings:
                timings["ttft"] = answer.timings["ttft"] + sent - due
        stages = sum(value for stage, value in timings.items() if stage not in WHOLE)
        pieces = () if answer is None else answer.pieces
        return Request(
            number=number,
            measured=measured,
            task=sample.task,
            sample=sample.id,
            scheduled=due - origin,
            lag=woken - due,
            e2e=ended - due,
            timings=timings | ({"unaccounted": ended - due - stages} if answer is not None and not error else {}),
            cpu=worked,
            gaps=tuple(float(gap) for gap in np.diff(pieces)),
            tokens_in=0 if answer is None else answer.tokens_in,
            tokens_out=0 if answer is None else answer.tokens_out,
            tokens_cached=None if answer is None else answer.tokens_cached,
            well_formed=well_formed,
            error=error,
            timed_out=timed_out,
        )


def _well_formed(sample: Sample, answer: Answer | None) -> bool | None:
    """The check that whoever uses the answer has to make."""
    if answer is None or answer.error is not None or sample.query.schema is None:
        return None
    return adherence_error(answer.text, sample.query.schema) is None


async def _as_they_come(
    send: Callable[[], Coroutine[Any, Any, None]], done: asyncio.Queue[Request | None]
) -> AsyncGenerator[Request]:
    """The records of a load under way; what went wrong in it is raised at its end, and leaving early ends it."""

    async def whole() -> None:
        try:
            await send()
        except* UserError as mistakes:
            raise mistakes.exceptions[0] from None
        finally:
            done.put_nowait(None)

    sending = asyncio.create_task(whole())
    try:
        while (record := await done.get()) is not None:
            yield record
        await sending
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
