"""Prompt, then generate: ``prompt`` on the base weights, ``finetuned`` with an adapter."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from systems.base import (
    Answer,
    Call,
    Chunk,
    Completion,
    Generator,
    Prepared,
    Query,
    Request,
    Sampling,
    Stream,
    UserError,
)
from systems.model import Model
from systems.prompts import PromptBuilder, citations
from systems.timing import timed


@dataclass(frozen=True, kw_only=True)
class Prompted:
    """A system without retrieval."""

    name: str
    model: Model
    engine: Generator
    prompt: PromptBuilder
    adapter: str | None = None
    """Directory of the adapter, or ``None`` for the base weights."""
    sampling: Sampling = field(default_factory=Sampling)
    constrained: bool = False
    """Hold answers to the task's JSON Schema by the engine's structured outputs."""

    def __post_init__(self) -> None:
        if self.prompt.reasoning and self.constrained:
            raise UserError(
                f"systems.{self.name}.constrained=true: leaves no room for the steps of prompt.reasoning=true; "
                "turn one of them off"
            )
        if self.prompt.reasoning and self.adapter is not None:
            raise UserError(
                f"systems.{self.name}.prompt.reasoning=true: weights are tuned on answers without steps; "
                "ask the base weights for them"
            )

    def prepare(self, query: Query) -> Prepared:
        started = time.perf_counter()
        timings: dict[str, float] = {}
        with timed(timings, "prompt"):
            first, *further = self.requests(query, ())
        return Prepared(query=query, request=first, further=tuple(further), timings=timings, started=started)

    def requests(self, query: Query, passages: Sequence[Chunk]) -> tuple[Request, ...]:
        """The engine's calls for a query and its passages, one unless the query brings its own.

        Raises ``UserError`` where one does not fit the context.
        """
        if not query.calls:
            return (self.request(query, passages),)
        return tuple(self._own(call, passages) for call in query.calls)

    def request(self, query: Query, passages: Sequence[Chunk]) -> Request:
        """The call by the prompt builder."""
        messages = self.prompt.messages(query, passages)
        token_ids = tuple(self.model.encode(messages))
        self.check_length(token_ids, self.prompt.max_tokens(query))
        return Request(
            messages=messages,
            token_ids=token_ids,
            sampling=replace(self.sampling, max_tokens=self.prompt.max_tokens(query)),
            adapter=self.adapter,
            schema=query.schema if self.constrained else None,
        )

    def _own(self, call: Call, passages: Sequence[Chunk]) -> Request:
        """A call in a benchmark's own words."""
        prompt = self.prompt.call(call, passages)
        made = Request(
            messages=() if isinstance(prompt, str) else prompt,
            text=self.model.text(prompt),
            sampling=call.sampling,
            stop=call.stop,
            adapter=self.adapter,
        )
        if call.continuation is None:
            token_ids = self.model.encode_text(prompt)
            self.check_length(token_ids, call.sampling.max_tokens)
            return replace(made, token_ids=tuple(token_ids))
        token_ids, continuation = self.model.encode_pair(prompt, call.continuation)
        if not token_ids or not continuation:
            raise UserError(f"continuation {call.continuation!r} has no token of its own after its prompt")
        self.check_length(token_ids, len(continuation))
        return replace(made, token_ids=tuple(token_ids), continuation=tuple(continuation))

    def check_length(self, prompt: Sequence[int], answer: int) -> None:
        """Refuse a prompt that leaves no room for the answer's tokens."""
        if len(prompt) + answer > self.model.context:
            raise UserError(
                f"prompt of {len(prompt)} tokens + {answer} for the answer does not fit the "
                f"{self.model.context} tokens of {self.model.name}; shorten the text or take a shorter prompt"
            )

    def respond(self, prepared: Iterable[Prepared], in_flight: int | None = None) -> Iterator[tuple[int, Answer]]:
        waiting: dict[int, _Waiting] = {}
        owners: dict[int, tuple[int, int]] = {}
        """Number of a request → number of its query, and its place among that query's requests."""

        def requests() -> Iterator[Request]:
            numbers = itertools.count()
            for index, item in enumerate(prepared):
                waiting[index] = _Waiting(item, time.perf_counter())
                for place, request in enumerate(item.requests):
                    owners[next(numbers)] = index, place
                    yield request

        for number, completion in self.engine.generate(requests(), in_flight):
            index, place = owners.pop(number)
            one = waiting[index]
            one.came[place] = completion
            if len(one.came) == len(one.prepared.requests):
                del waiting[index]
                yield index, self._answer(one.prepared, one.submitted, [one.came[place] for place in sorted(one.came)])

    async def serve(self, query: Query, stream: Stream, pool: Executor) -> Answer:
        asked = time.perf_counter()
        prepared, begun, ended = await asyncio.get_running_loop().run_in_executor(pool, self._timed, query)
        submitted = time.perf_counter()
        timings = {"wait": begun - asked, "handover": submitted - ended, **prepared.timings}
        completions = await asyncio.gather(*(stream.complete(request) for request in prepared.requests))
        return self._answer(replace(prepared, started=asked, timings=timings), submitted, completions)

    def _timed(self, query: Query) -> tuple[Prepared, float, float]:
        """A query prepared, and from when to when."""
        begun = time.perf_counter()
        prepared = self.prepare(query)
        return prepared, begun, time.perf_counter()

    def _answer(self, prepared: Prepared, submitted: float, came: Sequence[Completion]) -> Answer:
        if prepared.query.calls:
            return answer(prepared, submitted, came)
        steps, text = self.prompt.split(came[0].text)
        whole = text == came[0].text
        return answer(prepared, submitted, came if whole else [replace(came[0], text=text)], steps)


@dataclass(frozen=True)
class _Waiting:
    """A query whose completions are not all there."""

    prepared: Prepared
    submitted: float
    came: dict[int, Completion] = field(default_factory=dict)


def answer(prepared: Prepared, submitted: float, completions: Sequence[Completion], reasoning: str = "") -> Answer:
    """What the engine gave back, with the retrieval that went before it, and the ``reasoning`` apart from the answer.

    The engine counts its ``ttft`` from ``submitted``; a user waits from when preparing began, retrieval included. Of
    several calls the first that failed fails the answer. They are on their way at once, so what the query waits for is
    the longest of them: its stages are the query's (their sum over all calls would be more time than passed), and
    there is no first token to speak of.
    """
    first = completions[0]
    longest = max(map(_stages, completions), key=lambda stages: sum(stages.values()))
    timings: dict[str, Any] = {**prepared.timings, **longest}
    pieces: tuple[float, ...] = ()
    if len(completions) == 1:
        pieces = tuple(piece + submitted - prepared.started for piece in first.pieces)
        if "ttft" in first.timings:
            timings["ttft"] = first.timings["ttft"] + submitted - prepared.started
    timings["e2e"] = time.perf_counter() - prepared.started
    error = next((one.error for one in completions if one.error is not None), None)
    outputs = tuple(one.text if one.likelihood is None else one.likelihood for one in completions)
    text = _chosen(prepared.query.calls, completions)
    return Answer(
        text=text,
        reasoning=reasoning,
        citations=citations(text),
        retrieved=prepared.retrieved,
        shown=prepared.shown,
        timings=timings,
        pieces=pieces,
        tokens_in=sum(one.tokens_in for one in completions),
        tokens_out=sum(one.tokens_out for one in completions),
        tokens_cached=_sum([one.tokens_cached for one in completions]),
        finish_reason=first.finish_reason,
        outputs=outputs if prepared.query.calls and error is None else (),
        error=error,
    )


def _stages(completion: Completion) -> dict[str, float]:
    """Its timings that follow one on another."""
    return {stage: seconds for stage, seconds in completion.timings.items() if stage != "ttft"}


def _sum(counts: Sequence[int | None]) -> int | None:
    """The sum of what is known, if all of it is."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _chosen(calls: Sequence[Call], completions: Sequence[Completion]) -> str:
    """What was generated first or, where nothing was, the likeliest continuation of a prompt."""
    scored = [
        (completion.likelihood.log_likelihood, call.continuation)
        for call, completion in zip(calls, completions, strict=False)
        if completion.likelihood is not None and call.continuation is not None and call.prompt
    ]
    return max(scored)[1].strip() if scored else completions[0].text
