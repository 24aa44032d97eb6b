"""Prompt, then generate: ``prompt`` on the base weights, ``finetuned`` with an adapter."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from systems.base import Answer, Chunk, Completion, Generator, Prepared, Query, Request, Sampling, UserError
from systems.model import Model
from systems.prompts import PromptBuilder, citations


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

    def prepare(self, query: Query) -> Prepared:
        started = time.perf_counter()
        request = self.request(query, ())
        return Prepared(
            query=query, request=request, timings={"prompt": time.perf_counter() - started}, started=started
        )

    def request(self, query: Query, passages: Sequence[Chunk]) -> Request:
        """The engine's call for a query and its passages. Raises ``UserError`` where they do not fit the context."""
        messages = self.prompt.messages(query, passages)
        token_ids = tuple(self.model.encode(messages))
        self.check_length(query, token_ids)
        return Request(
            messages=messages,
            token_ids=token_ids,
            sampling=replace(self.sampling, max_tokens=query.max_tokens),
            adapter=self.adapter,
            schema=query.schema if self.constrained else None,
        )

    def check_length(self, query: Query, prompt: Sequence[int]) -> None:
        """Refuse a prompt that leaves no room for the answer."""
        if len(prompt) + query.max_tokens > self.model.context:
            raise UserError(
                f"prompt of {len(prompt)} tokens + {query.max_tokens} for the answer does not fit the "
                f"{self.model.context} tokens of {self.model.name}; shorten the text or take a shorter prompt"
            )

    def respond(self, prepared: Iterable[Prepared], in_flight: int | None = None) -> Iterator[tuple[int, Answer]]:
        taken: dict[int, tuple[Prepared, float]] = {}

        def requests() -> Iterator[Request]:
            for index, item in enumerate(prepared):
                taken[index] = item, time.perf_counter()
                yield item.request

        for index, completion in self.engine.generate(requests(), in_flight):
            yield index, answer(*taken.pop(index), completion)


def answer(prepared: Prepared, submitted: float, completion: Completion) -> Answer:
    """What the engine gave back, with the retrieval that went before it.

    The engine counts its ``ttft`` from ``submitted``; a user waits from when preparing began, retrieval included.
    """
    timings: dict[str, Any] = {**prepared.timings, **completion.timings}
    if "ttft" in timings:
        timings["ttft"] += submitted - prepared.started
    timings["e2e"] = time.perf_counter() - prepared.started
    return Answer(
        text=completion.text,
        citations=citations(completion.text),
        retrieved=prepared.retrieved,
        shown=prepared.shown,
        timings=timings,
        tokens_in=completion.tokens_in,
        tokens_out=completion.tokens_out,
        finish_reason=completion.finish_reason,
        error=completion.error,
    )
